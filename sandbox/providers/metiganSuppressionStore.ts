import { randomId } from '../signing';

export const REASONS = [
	'hard_bounce',
	'soft_bounce',
	'complaint',
	'unsubscribe',
	'manual',
	'invalid_format',
] as const;
export type Reason = (typeof REASONS)[number];

/** What the owner of the account may do with a suppression. */
type Policy = 'allowed' | 'consent_required' | 'support_only';

const POLICY: Readonly<Record<Reason, Policy>> = {
	hard_bounce: 'allowed',
	soft_bounce: 'allowed',
	complaint: 'support_only',
	unsubscribe: 'consent_required',
	manual: 'allowed',
	invalid_format: 'allowed',
};

/** An address that gets no more emails. */
export interface Suppression {
	email: string;
	reason: Reason;
	source: string;
	createdAt: string;
	updatedAt: string;
	bounceCode?: string;
	diagnostic?: string;
	messageId?: string;
	message?: { messageId: string; emailId: string; subject: string; sentAt: string };
	policy: Policy;
}

/** Who changes the list, and why. */
export interface Change {
	actor: string;
	/** ISO 8601. */
	at: string;
	consent?: boolean | undefined;
	note?: string | undefined;
}

interface HistoryEntry extends Change {
	id: string;
	email: string;
	action: 'added' | 'removed';
	reason: Reason;
	source: string;
}

/** "Soft bounces expire after 30 days" (the SDK's README). */
const SOFT_BOUNCE_MS = 30 * 86_400_000;

function isLive({ reason, createdAt }: Suppression): boolean {
	return reason !== 'soft_bounce' || Date.now() - Date.parse(createdAt) <= SOFT_BOUNCE_MS;
}

/** Addresses that differ only in the case of their letters are the same here. */
export function normalAddress(email: string): string {
	return email.trim().toLowerCase();
}

/** The list, one entry per address, and the changes that were made to it. */
export class SuppressionStore {
	private readonly byEmail = new Map<string, Suppression>();
	private history: HistoryEntry[] = [];

	get(email: string): Suppression | undefined {
		const entry = this.byEmail.get(normalAddress(email));
		return entry !== undefined && isLive(entry) ? entry : undefined;
	}

	all(): Suppression[] {
		return [...this.byEmail.values()].filter(isLive);
	}

	/** Oldest first; also of an address that has left the list. */
	historyOf(email: string): HistoryEntry[] {
		return this.history.filter((entry) => normalAddress(entry.email) === normalAddress(email));
	}

	/** Adds an address that is not on the list. */
	add(entry: Omit<Suppression, 'createdAt' | 'updatedAt' | 'policy'>, change: Change): void {
		const { at } = change;
		const policy = POLICY[entry.reason];
		this.byEmail.set(normalAddress(entry.email), {
			...entry,
			createdAt: at,
			updatedAt: at,
			policy,
		});
		this.note('added', entry, change);
	}

	remove(entry: Suppression, change: Change): void {
		this.byEmail.delete(normalAddress(entry.email));
		this.note('removed', entry, change);
	}

	clear(): void {
		this.byEmail.clear();
		this.history = [];
	}

	private note(
		action: HistoryEntry['action'],
		{ email, reason, source }: Pick<Suppression, 'email' | 'reason' | 'source'>,
		change: Change,
	): void {
		this.history.push({ id: randomId('sph_'), email, action, reason, source, ...change });
	}
}
