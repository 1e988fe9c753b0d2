import { EventEmitter } from 'node:events';

import { beforeEach, describe, expect, it, jest } from '@jest/globals';

import {
	Deduplicator,
	DeduplicatorPool,
	type Answer,
} from '../../nodes/shared/delivery/deduplicator';

/** The part of an HTTP response that counts here, ended by hand. */
class FakeAnswer extends EventEmitter implements Answer {
	statusCode = 200;
	writableEnded = false;

	/** n8n answered, and the sender received it. */
	finish(statusCode = 200): void {
		this.end(statusCode);
		this.emit('finish');
	}

	/** n8n answered, but the sender had hung up: `finish` never comes. */
	end(statusCode = 200): void {
		this.statusCode = statusCode;
		this.writableEnded = true;
	}
}

let now: number;
let memory: Deduplicator;

beforeEach(() => {
	now = 1_767_323_045_000;
	memory = new Deduplicator(3, () => now);
});

/** A delivery that was answered at once. */
function accept(key: string): void {
	const answer = new FakeAnswer();
	memory.see(key, answer);
	answer.finish();
}

describe('a delivery', () => {
	it('is new, then in progress, then accepted', () => {
		const answer = new FakeAnswer();
		expect(memory.see('a', answer)).toBe('new');
		expect(memory.see('a', new FakeAnswer())).toBe('inProgress');
		answer.finish(200);
		expect(memory.see('a', new FakeAnswer())).toBe('accepted');
		expect(memory.see('a', new FakeAnswer())).toBe('accepted');
		expect(memory.size).toBe(1);
	});

	it('is told apart by its key', () => {
		accept('a');
		expect(memory.see('b', new FakeAnswer())).toBe('new');
		expect(memory.see('', new FakeAnswer())).toBe('new');
		expect(memory.see('__proto__', new FakeAnswer())).toBe('new');
	});

	it.each([200, 201, 202, 204, 299])('is accepted with status %d', (status) => {
		const answer = new FakeAnswer();
		memory.see('a', answer);
		answer.finish(status);
		expect(memory.see('a', new FakeAnswer())).toBe('accepted');
	});

	it.each([101, 199, 300, 304, 400, 401, 429, 500, 503])(
		'is forgotten with status %d',
		(status) => {
			const answer = new FakeAnswer();
			memory.see('a', answer);
			answer.finish(status);
			expect(memory.size).toBe(0);
			expect(memory.see('a', new FakeAnswer())).toBe('new');
		},
	);

	it('that recurs after its key has expired counts as new, and is not the first to be evicted', () => {
		const recur = (key: string) => memory.see(key, undefined, 1_000);
		for (const key of ['a', 'b']) recur(key);
		now += 1_001;
		expect(recur('a')).toBe('new');
		for (const key of ['c', 'd']) recur(key);
		expect(recur('a')).toBe('accepted');
		expect(memory.size).toBe(3);
	});

	it('is accepted at once when it needs no answer', () => {
		expect(memory.see('a', undefined)).toBe('new');
		expect(memory.waiting).toBe(0);
		expect(memory.see('a', undefined)).toBe('accepted');
	});

	it('that failed is accepted when its copy is', () => {
		const [first, second] = [new FakeAnswer(), new FakeAnswer()];
		memory.see('a', first);
		first.finish(500);
		memory.see('a', second);
		expect(memory.see('a', new FakeAnswer())).toBe('inProgress');
		second.finish(200);
		expect(memory.see('a', new FakeAnswer())).toBe('accepted');
	});

	it('is not affected by the answer to its refused copy', () => {
		const [first, copy] = [new FakeAnswer(), new FakeAnswer()];
		memory.see('a', first);
		expect(memory.see('a', copy)).toBe('inProgress');
		copy.finish(503);
		expect(memory.see('a', new FakeAnswer())).toBe('inProgress');
		first.finish(200);
		expect(memory.see('a', new FakeAnswer())).toBe('accepted');
	});
});

describe('a delivery whose sender hung up', () => {
	it('counts as accepted when it was answered with 200 anyway', () => {
		const answer = new FakeAnswer();
		memory.see('a', answer);
		answer.end(200);
		expect(memory.see('a', new FakeAnswer())).toBe('accepted');
		// Even much later: it no longer waits for its answer.
		now += 86_400_000;
		expect(memory.see('a', new FakeAnswer())).toBe('accepted');
	});

	it('may run again when it was answered with 500', () => {
		const answer = new FakeAnswer();
		memory.see('a', answer);
		answer.end(500);
		expect(memory.see('a', new FakeAnswer())).toBe('new');
		expect(memory.size).toBe(1);
	});
});

describe('a delivery that is never answered', () => {
	it('is given up after 120 seconds, not before', () => {
		memory.see('a', new FakeAnswer());
		now += 120_000;
		expect(memory.see('a', new FakeAnswer())).toBe('inProgress');
		now += 1;
		expect(memory.see('a', new FakeAnswer())).toBe('new');
		expect(memory.see('a', new FakeAnswer())).toBe('inProgress');
		expect(memory.size).toBe(1);
	});

	it('is dropped after that time even if no copy comes', () => {
		memory.see('a', new FakeAnswer());
		const hungUp = new FakeAnswer();
		memory.see('b', hungUp);
		hungUp.end(200);
		now += 120_001;
		accept('c');
		expect(memory.size).toBe(2);
		expect(memory.waiting).toBe(0);
		expect(memory.see('b', new FakeAnswer())).toBe('accepted');
	});

	it('is timed from its own arrival, not from the last copy', () => {
		memory.see('a', new FakeAnswer());
		now += 119_000;
		memory.see('a', new FakeAnswer());
		now += 1_001;
		expect(memory.see('a', new FakeAnswer())).toBe('new');
	});

	it('does not affect its copy when it is answered too late', () => {
		const [late, copy] = [new FakeAnswer(), new FakeAnswer()];
		memory.see('a', late);
		now += 120_001;
		expect(memory.see('a', copy)).toBe('new');
		late.finish(500);
		expect(memory.see('a', new FakeAnswer())).toBe('inProgress');
		copy.finish(200);
		expect(memory.see('a', new FakeAnswer())).toBe('accepted');
	});
});

describe('a key that expires', () => {
	const DAY = 86_400_000;

	it('stands for a new delivery once its time since the first arrival is over', () => {
		const see = () => {
			const answer = new FakeAnswer();
			const sighting = memory.see('a', answer, DAY);
			answer.finish();
			return sighting;
		};
		expect(see()).toBe('new');
		now += DAY - 1;
		expect(see()).toBe('accepted');
		now += 1;
		expect(see()).toBe('accepted');
		now += 1;
		expect(see()).toBe('new');
		expect(see()).toBe('accepted');
		expect(memory.size).toBe(1);
	});

	it('does not affect other keys', () => {
		accept('a');
		now += 1000 * DAY;
		expect(memory.see('a', new FakeAnswer())).toBe('accepted');
	});

	it('is not settled by a late answer to the delivery that had it before', () => {
		const [before, after] = [new FakeAnswer(), new FakeAnswer()];
		memory.see('a', before, 1000);
		now += 1001;
		expect(memory.see('a', after, 1000)).toBe('new');
		before.finish(500);
		expect(memory.see('a', new FakeAnswer(), 1000)).toBe('inProgress');
		after.finish(200);
		expect(memory.see('a', new FakeAnswer(), 1000)).toBe('accepted');
	});
});

describe('the deduplicators of many triggers', () => {
	const acceptBy = (pool: DeduplicatorPool, trigger: string, key: string) => {
		const answer = new FakeAnswer();
		const sighting = pool.of(trigger).see(key, answer);
		answer.finish();
		return sighting;
	};

	it('are independent of each other', () => {
		const pool = new DeduplicatorPool();
		expect(acceptBy(pool, 'a', 'evt_1')).toBe('new');
		expect(acceptBy(pool, 'b', 'evt_1')).toBe('new');
		expect(acceptBy(pool, 'a', 'evt_1')).toBe('accepted');
	});

	it('do not displace each other: a flood at one leaves the others’ keys alone', () => {
		const pool = new DeduplicatorPool();
		acceptBy(pool, 'careful', 'evt_1');
		for (let index = 0; index < 10_050; index++) acceptBy(pool, 'careless', `forged ${index}`);
		expect(acceptBy(pool, 'careful', 'evt_1')).toBe('accepted');
		expect(pool.of('careless').size).toBe(10_000);
	});

	it('are evicted when there are too many, the longest unused first', () => {
		const pool = new DeduplicatorPool(2);
		acceptBy(pool, 'a', 'evt_1');
		acceptBy(pool, 'b', 'evt_1');
		acceptBy(pool, 'a', 'evt_2');
		acceptBy(pool, 'c', 'evt_1');
		expect(acceptBy(pool, 'a', 'evt_1')).toBe('accepted');
		expect(acceptBy(pool, 'c', 'evt_1')).toBe('accepted');
		expect(acceptBy(pool, 'b', 'evt_1')).toBe('new');
	});

	it('are 200 at most', () => {
		const pool = new DeduplicatorPool();
		for (let index = 0; index <= 200; index++) acceptBy(pool, `trigger ${index}`, 'evt_1');
		expect(acceptBy(pool, 'trigger 1', 'evt_1')).toBe('accepted');
		expect(acceptBy(pool, 'trigger 0', 'evt_1')).toBe('new');
	});
});

describe('the deduplicator', () => {
	it('evicts the oldest first', () => {
		for (const key of ['a', 'b', 'c', 'd']) accept(key);
		expect(memory.size).toBe(3);
		for (const key of ['b', 'c', 'd']) {
			expect({ key, seen: memory.see(key, new FakeAnswer()) }).toEqual({ key, seen: 'accepted' });
		}
		expect(memory.see('a', new FakeAnswer())).toBe('new');
	});

	it('evicts a delivery that runs again as if it were new', () => {
		const failed = new FakeAnswer();
		memory.see('a', failed);
		failed.end(500);
		accept('b');
		accept('c');
		accept('a');
		accept('d');
		expect(memory.see('a', new FakeAnswer())).toBe('accepted');
		expect(memory.see('b', new FakeAnswer())).toBe('new');
	});

	it('evicts a delivery that was given up and runs again as if it were new', () => {
		memory.see('a', new FakeAnswer());
		accept('b');
		accept('c');
		now += 120_001;
		accept('a');
		accept('d');
		expect(memory.see('a', new FakeAnswer())).toBe('accepted');
		expect(memory.see('b', new FakeAnswer())).toBe('new');
	});

	it('goes by a clock that nobody sets', () => {
		jest.useFakeTimers({ now: now + 365 * 24 * 3_600_000 });
		try {
			const unset = new Deduplicator();
			unset.see('a', undefined, 60_000);
			jest.setSystemTime(now);
			jest.advanceTimersByTime(59_000);
			expect(unset.see('a', undefined)).toBe('accepted');
			jest.advanceTimersByTime(2_000);
			expect(unset.see('a', undefined)).toBe('new');
		} finally {
			jest.useRealTimers();
		}
	});

	it('accepts the answer to a delivery that was evicted in the meantime', () => {
		const answer = new FakeAnswer();
		memory.see('a', answer);
		for (const key of ['b', 'c', 'd']) accept(key);
		answer.finish(200);
		expect(memory.size).toBe(3);
		for (const key of ['b', 'c', 'd']) expect(memory.see(key, new FakeAnswer())).toBe('accepted');
	});

	it('never holds more than its capacity over 50,000 deliveries, and keeps the newest', () => {
		const large = new Deduplicator();
		let largest = 0;
		for (let index = 0; index < 50_000; index++) {
			const answer = new FakeAnswer();
			large.see(`key ${index}`, answer);
			if (index % 3 === 0) answer.finish(200);
			else if (index % 3 === 1) answer.end(200);
			largest = Math.max(largest, large.size);
		}
		expect(largest).toBe(10_000);
		expect(large.see('key 49998', new FakeAnswer())).toBe('accepted');
		expect(large.see('key 49999', new FakeAnswer())).toBe('accepted');
		expect(large.see('key 49997', new FakeAnswer())).toBe('inProgress');
		expect(large.see('key 40002', new FakeAnswer())).toBe('accepted');
		expect(large.see('key 39999', new FakeAnswer())).toBe('new');
	});
});
