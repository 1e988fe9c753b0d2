import { z } from 'zod';
import { json } from '../answers';
import type { Answer, ApiErrors, HappenedEvent, Route } from '../provider';
import { listBehaviour, isListed, listedTime, Pager } from '../listing';
import { randomId } from '../signing';
import type { Behaviour } from '../types';
import { parseBody } from '../validation';
import {
	normalAddress,
	REASONS,
	SuppressionStore,
	type Reason,
	type Suppression,
} from './metiganSuppressionStore';

const mail = z.object({
	recipient: z.string().optional(),
	email: z.string().optional(),
	subject: z.string().optional(),
	bounceType: z.enum(['hard', 'soft']).default('hard'),
	metadata: z.object({ bounceReason: z.string().optional() }).default({}),
});

/** How the list may differ from what the SDK shows. */
export const suppressionBehaviour = {
	...listBehaviour,
	listAddresses: z.enum(['asSent', 'upperCase']).default('asSent'),
	listMessageIds: z.boolean().default(true),
};
type SuppressionBehaviour = Pick<Behaviour, keyof typeof suppressionBehaviour>;

const DAY_MS = 86_400_000;

const ADDRESS = /^[^\s@]+@[^\s@.]+(?:\.[^\s@.]+)+$/;
const day = /^\d{4}-\d{2}-\d{2}$/;
const time = z.string().refine((text) => !Number.isNaN(Date.parse(text)), 'must be a date');
const listQuery = z.object({
	from: time.optional(),
	to: time.optional(),
	reason: z.enum(REASONS).optional(),
	source: z.string().optional(),
	search: z.string().optional(),
	sort: z.enum(['newest', 'oldest', 'email']).default('newest'),
	page: z.coerce.number().int().min(1).default(1),
	limit: z.coerce.number().int().min(1).max(200).default(50),
});

const note = z.string().max(500, 'must have at most 500 characters').optional();
const addBody = z
	.object({
		emails: z
			.array(z.string())
			.min(1, 'must name at least one address')
			.max(1000, 'must name at most 1,000 addresses'),
		reason: z.enum(['manual', 'unsubscribe']).default('manual'),
		note,
	})
	.strict();
const removeQuery = z.object({ consent: z.literal('true').optional(), note }).strict();

/**
 * The addresses that get no more emails, as the JavaScript SDK 2.5 describes the calls
 * (`src/lib/suppressions.ts`), kept from the events that were fired. One entry per address.
 */
export class Suppressions {
	private readonly store = new SuppressionStore();
	private readonly pager = new Pager<Suppression>({
		comes: () => this.suppressAnother(),
		goes: (entry) => this.store.remove(entry, { actor: 'support', at: now() }),
	});

	/** Puts the address of a bounce, a complaint or an unsubscribe on the list. */
	record({ event, id, at, data }: HappenedEvent): void {
		const parsed = mail.safeParse(data);
		const email = parsed.data?.recipient ?? parsed.data?.email;
		if (!parsed.success || email === undefined || this.store.get(email) !== undefined) return;
		const { subject = '', bounceType, metadata } = parsed.data;
		const message = { messageId: id, emailId: `eml_${id}`, subject, sentAt: at };
		const change = { actor: 'system', at };
		if (event === 'email.bounced') {
			const entry = {
				email,
				reason: `${bounceType}_bounce`,
				source: 'bounce_handler',
				bounceCode: '5.1.1',
				diagnostic: metadata.bounceReason ?? '550 5.1.1 User unknown',
				messageId: id,
				message,
			} as const;
			this.store.add(entry, change);
		} else if (event === 'email.complained') {
			const source = 'complaint_handler';
			this.store.add({ email, reason: 'complaint', source, messageId: id, message }, change);
		} else if (event === 'email.unsubscribed') {
			this.store.add({ email, reason: 'unsubscribe', source: 'unsubscribe_link' }, change);
		}
	}

	clear(): void {
		this.store.clear();
		this.pager.reset();
	}

	routes(errors: ApiErrors, current: () => SuppressionBehaviour): Route[] {
		const path = '/api/suppressions';
		return [
			{
				method: 'GET',
				path,
				handle: ({ query }) =>
					this.list(parseBody(listQuery, Object.fromEntries(query), errors), current()),
			},
			{ method: 'POST', path, handle: ({ body }) => this.add(parseBody(addBody, body, errors)) },
			{
				method: 'GET',
				path: `${path}/:email`,
				handle: (_, { email = '' }) => this.lookUp(email, current()),
			},
			{
				method: 'DELETE',
				path: `${path}/:email`,
				handle: ({ query }, { email = '' }) => {
					const asked = parseBody(removeQuery, Object.fromEntries(query), errors);
					const entry = this.store.get(email);
					return entry === undefined ? errors.notFound() : this.remove(entry, asked, current());
				},
			},
		];
	}

	/** "Addresses already suppressed keep their reason." */
	private add({ emails, reason, note: why }: z.infer<typeof addBody>): Answer {
		const added: string[] = [];
		const alreadySuppressed: Record<string, Reason> = {};
		const invalid: string[] = [];
		for (const written of emails) {
			const email = normalAddress(written);
			const there = this.store.get(email);
			if (!ADDRESS.test(email)) invalid.push(written);
			else if (there !== undefined) alreadySuppressed[email] = there.reason;
			else {
				this.store.add({ email, reason, source: 'api' }, { actor: 'api', at: now(), note: why });
				added.push(email);
			}
		}
		return json(201, { success: true, data: { added, alreadySuppressed, invalid } });
	}

	private lookUp(email: string, behaviour: SuppressionBehaviour): Answer {
		const entry = this.store.get(email);
		const data = {
			email: normalAddress(email),
			suppressed: entry !== undefined,
			...(entry === undefined ? {} : { suppression: listed(entry, behaviour) }),
			history: this.store.historyOf(email),
		};
		return json(200, { success: true, data });
	}

	private remove(
		entry: Suppression,
		{ consent, note: why }: z.infer<typeof removeQuery>,
		behaviour: SuppressionBehaviour,
	): Answer {
		const refused = (status: number, code: string, error: string) =>
			json(status, { success: false, code, error });
		if (entry.policy === 'support_only') {
			return refused(403, 'support_only', 'A spam complaint can only be removed by support');
		}
		if (entry.policy === 'consent_required' && consent === undefined) {
			return refused(409, 'consent_required', 'Removing an unsubscribe requires consent');
		}
		const agreed = consent === undefined ? {} : { consent: true };
		this.store.remove(entry, { actor: 'api', at: now(), note: why, ...agreed });
		return json(200, { success: true, data: listed(entry, behaviour) });
	}

	/** Another bounce may arrive while the list is read. */
	private suppressAnother(): void {
		const data = { recipient: `${randomId('another-')}@example.com` };
		this.record({ event: 'email.bounced', id: randomId('msg_'), at: now(), data });
	}

	private list(asked: z.infer<typeof listQuery>, behaviour: SuppressionBehaviour): Answer {
		const { page, limit } = asked;
		const all = this.matching(asked)
			.filter(({ createdAt }) => isListed(createdAt, behaviour))
			.sort(ORDER[asked.sort]);
		const { entries, total } = this.pager.page(all, { limit, from: { page } }, behaviour);
		const totalPages = total === undefined ? undefined : Math.ceil(total / limit);
		return json(200, {
			success: true,
			data: entries.map((entry) => listed(entry, behaviour)),
			pagination: { page, limit, total, totalPages, hasMore: page * limit < all.length },
			summary: { total, byReason: countByReason(all) },
		});
	}

	private matching({ from, to, reason, source, search }: z.infer<typeof listQuery>): Suppression[] {
		return this.store.all().filter((entry) => {
			const at = Date.parse(entry.createdAt);
			if (from !== undefined && at < Date.parse(from)) return false;
			if (to !== undefined && at >= endOf(to)) return false;
			if (reason !== undefined && entry.reason !== reason) return false;
			if (source !== undefined && entry.source !== source) return false;
			return search === undefined || entry.email.includes(search);
		});
	}
}

function now(): string {
	return new Date().toISOString();
}

function listed(
	{ messageId, message, ...entry }: Suppression,
	behaviour: SuppressionBehaviour,
): object {
	const { email, createdAt, updatedAt } = entry;
	return {
		...entry,
		email: behaviour.listAddresses === 'upperCase' ? email.toUpperCase() : email,
		createdAt: listedTime(createdAt, behaviour),
		updatedAt: listedTime(updatedAt, behaviour),
		...(behaviour.listMessageIds ? { messageId, message } : {}),
	};
}

/** "to: inclusive day". */
function endOf(to: string): number {
	return Date.parse(to) + (day.test(to) ? DAY_MS : 1);
}

const ORDER: Record<z.infer<typeof listQuery>['sort'], (a: Suppression, b: Suppression) => number> =
	{
		newest: (a, b) => b.createdAt.localeCompare(a.createdAt),
		oldest: (a, b) => a.createdAt.localeCompare(b.createdAt),
		email: (a, b) => a.email.localeCompare(b.email),
	};

function countByReason(all: readonly Suppression[]): Record<Reason, number> {
	const counts = Object.fromEntries(REASONS.map((reason) => [reason, 0])) as Record<Reason, number>;
	for (const { reason } of all) counts[reason] += 1;
	return counts;
}
