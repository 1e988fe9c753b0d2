import type { EventSample } from '../shared/provider';

/** Samples of what Mail Panda sends: the documentation shows no body; the fields are those of its inbound events. */
export function sample(event: string): EventSample {
	const data = {
		email_id: 'msg_01j9abc',
		recipient: 'ada@example.com',
		timestamp: '2026-01-15T09:30:00Z',
		...(event === 'click' ? { url: 'https://example.com/pricing' } : {}),
		...(event === 'bounce' ? { bounce_type: 'hard' } : {}),
	};
	return { body: { event, data }, isDocumented: false };
}
