import { z } from 'zod';
import { json } from '../answers';
import type { Answer, ApiErrors, HappenedEvent, Route } from '../provider';
import { listBehaviour, isListed, listedTime, Pager } from '../listing';
import { randomId } from '../signing';
import type { Behaviour } from '../types';
import { parseBody } from '../validation';

const REASONS = [
	'hard_bounce',
	'soft_bounce',
	'complaint',
	'unsubscribe',
	'manual',
	'invalid_format',
] as const;
type Reason = (typeof REASONS)[number];

interface Suppression {
	email: string;
	reason: Reason;
	source: string;
	createdAt: string;
	updatedAt: string;
	bounceCode?: string;
	diagnostic?: string;
	messageId?: string;
	message?: { messageId: string; emailId: string; subject: string; sentAt: string };
	policy: 'allowed' | 'consent_required' | 'support_only';
}

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

/** "Soft bounces 30 days" (the SDK's README). */
const SOFT_BOUNCE_DAYS = 30;
const DAY_MS = 86_400_000;

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

/**
 * The addresses that get no more emails, as the JavaScript SDK 2.5 describes the call
 * (`src/lib/suppressions.ts`), kept from the events that were fired. One entry per address.
 */
export class Suppressions {
	private readonly byEmail = new Map<string, Suppression>();
	private readonly pager = new Pager<Suppression>({
		comes: () => this.suppressAnother(),
		goes: ({ email }) => this.byEmail.delete(email),
	});

	/** Puts the address of a bounce, a complaint or an unsubscribe on the list. */
	record({ event, id, at, data }: HappenedEvent): void {
		const parsed = mail.safeParse(data);
		const email = parsed.data?.recipient ?? parsed.data?.email;
		if (!parsed.success || email === undefined || this.byEmail.has(email)) return;
		const { subject = '', bounceType, metadata } = parsed.data;
		const entry = { email, createdAt: at, updatedAt: at };
		const message = { messageId: id, emailId: `eml_${id}`, subject, sentAt: at };
		if (event === 'email.bounced') {
			this.byEmail.set(email, {
				...entry,
				reason: `${bounceType}_bounce`,
				source: 'bounce_handler',
				bounceCode: '5.1.1',
				diagnostic: metadata.bounceReason ?? '550 5.1.1 User unknown',
				messageId: id,
				message,
				policy: 'allowed',
			});
		} else if (event === 'email.complained') {
			this.byEmail.set(email, {
				...entry,
				reason: 'complaint',
				source: 'complaint_handler',
				messageId: id,
				message,
				policy: 'support_only',
			});
		} else if (event === 'email.unsubscribed') {
			const source = 'unsubscribe_link';
			this.byEmail.set(email, {
				...entry,
				reason: 'unsubscribe',
				source,
				policy: 'consent_required',
			});
		}
	}

	clear(): void {
		this.byEmail.clear();
		this.pager.reset();
	}

	routes(errors: ApiErrors, current: () => SuppressionBehaviour): Route[] {
		return [
			{
				method: 'GET',
				path: '/api/suppressions',
				handle: ({ query }) =>
					this.list(parseBody(listQuery, Object.fromEntries(query), errors), current()),
			},
			{
				method: 'DELETE',
				path: '/api/suppressions/:email',
				handle: (_, { email = '' }) =>
					this.byEmail.delete(email) ? json(200, { success: true }) : errors.notFound(),
			},
		];
	}

	/** As somebody else's bounce may, while the list is read. */
	private suppressAnother(): void {
		const data = { recipient: `${randomId('another-')}@example.com` };
		const [id, at] = [randomId('msg_'), new Date().toISOString()];
		this.record({ event: 'email.bounced', id, at, data });
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
		const softSince = Date.now() - SOFT_BOUNCE_DAYS * DAY_MS;
		return [...this.byEmail.values()].filter((entry) => {
			const at = Date.parse(entry.createdAt);
			if (entry.reason === 'soft_bounce' && at < softSince) return false;
			if (from !== undefined && at < Date.parse(from)) return false;
			if (to !== undefined && at >= endOf(to)) return false;
			if (reason !== undefined && entry.reason !== reason) return false;
			if (source !== undefined && entry.source !== source) return false;
			return search === undefined || entry.email.includes(search);
		});
	}
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
