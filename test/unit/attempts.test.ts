import { describe, expect, it } from '@jest/globals';
import { NodeApiError, type INode } from 'n8n-workflow';

import { Attempts } from '../../nodes/shared/state/attempts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const NOW = Date.parse('2036-03-01T12:00:00Z');
const node: INode = {
	id: 'node',
	name: 'Trigger',
	type: 'trigger',
	typeVersion: 1,
	position: [0, 0],
	parameters: {},
};

/** The error of a provider that asks to wait. */
function pausing(seconds: number): NodeApiError {
	const error = new NodeApiError(node, { message: 'too many requests' });
	error.context['retryAfterSeconds'] = seconds;
	return error;
}

describe('a check after a failure', () => {
	it.each([
		['1, 2, 4, 8 minutes and no longer than the interval', 10, [1, 2, 4, 8, 10, 10]],
		['a minute at a time where the interval is one', 1, [1, 1, 1]],
	])('is repeated after %s', (_what, interval, minutes) => {
		const attempts = new Attempts(interval);
		let now = NOW;
		for (const wait of minutes) {
			attempts.noteFailure(new Error('no'), 'no', now);
			expect(attempts.mustWait(now + (wait - 1) * MINUTE_MS)).toBe(true);
			now += wait * MINUTE_MS;
			expect(attempts.mustWait(now)).toBe(false);
		}
	});

	it.each([
		['a second', 1, 1],
		['half an hour', 1_800, 30],
		['a day, which is believed up to an hour', 86_400, 60],
	])('waits as long as the provider asks: %s', (_what, seconds, minutes) => {
		const attempts = new Attempts(1);
		attempts.noteFailure(pausing(seconds), 'too many requests', NOW);
		expect(attempts.mustWait(NOW + (minutes - 1) * MINUTE_MS)).toBe(true);
		expect(attempts.mustWait(NOW + minutes * MINUTE_MS)).toBe(false);
	});

	it.each([
		['a failed attempt', () => new Error('no')],
		['a request to wait an hour', () => pausing(3_600)],
	])('is repeated at once if the clock was a day ahead at %s', (_what, error) => {
		const attempts = new Attempts(30);
		attempts.noteFailure(error(), 'no', NOW + DAY_MS);
		expect(attempts.mustWait(NOW)).toBe(false);
	});
});

describe('failures in a row', () => {
	it('are dated by the first one since the last success', () => {
		const attempts = new Attempts(30);
		const failAt = (minute: number) =>
			attempts.noteFailure(new Error('no'), 'no', NOW + minute * MINUTE_MS);
		failAt(0);
		failAt(1);
		expect(attempts).toMatchObject({ failed: 2, since: NOW });
		attempts.noteSuccess();
		failAt(5);
		failAt(6);
		expect(attempts).toMatchObject({ failed: 2, since: NOW + 5 * MINUTE_MS });
	});
});
