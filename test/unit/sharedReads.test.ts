import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';

import { SharedReads } from '../../nodes/shared/delivery/sharedReads';

const AGE_MS = 5_000;

/** A database: each read takes `takesMs`, and returns the value at its beginning. */
class Source {
	value = 1;
	reads = 0;
	failure: Error | undefined;

	constructor(readonly takesMs = 10) {}

	readonly read = async (): Promise<number> => {
		this.reads += 1;
		const { value, failure } = this;
		await new Promise((resolve) => setTimeout(resolve, this.takesMs));
		if (failure !== undefined) throw failure;
		return value;
	};
}

const pass = async (ms: number) => await jest.advanceTimersByTimeAsync(ms);

beforeEach(() => {
	jest.useFakeTimers();
});

afterEach(() => {
	jest.useRealTimers();
});

describe('a fresh read', () => {
	test('is not the one under way, and is shared by all who wait for it', async () => {
		const source = new Source();
		const reads = new SharedReads<number>(AGE_MS);
		const first = reads.fresh('a', source.read);
		await pass(5);
		source.value = 2;
		const later = [1, 2, 3].map(async () => await reads.fresh('a', source.read));
		expect(source.reads).toBe(1);
		await pass(5);
		expect(await first).toBe(1);
		expect(source.reads).toBe(2);

		source.value = 3;
		const last = reads.fresh('a', source.read);
		await pass(10);
		expect(await Promise.all(later)).toEqual([2, 2, 2]);
		await pass(10);
		expect(await last).toBe(3);
		expect(source.reads).toBe(3);
	});

	test('begins at once when there was no recent read', async () => {
		const source = new Source();
		const reads = new SharedReads<number>(AGE_MS);
		for (const value of [4, 5]) {
			source.value = value;
			const read = reads.fresh('a', source.read);
			expect(source.reads).toBe(value - 3);
			await pass(50);
			expect(await read).toBe(value);
		}
	});

	test('fails for those who share it and for nobody else', async () => {
		const source = new Source();
		const reads = new SharedReads<number>(AGE_MS);
		source.failure = new Error('lost');
		const first = expect(reads.fresh('a', source.read)).rejects.toThrow('lost');
		source.failure = new Error('lost again');
		const shared = [1, 2].map(
			async () => await expect(reads.fresh('a', source.read)).rejects.toThrow('lost again'),
		);
		await pass(60);
		await Promise.all([first, ...shared]);
		source.failure = undefined;
		const after = reads.fresh('a', source.read);
		await pass(60);
		expect(await after).toBe(1);
	});

	test('happens one at a time, however many ask', async () => {
		const source = new Source();
		const reads = new SharedReads<number>(AGE_MS);
		const answers: Array<Promise<number>> = [];
		for (let ms = 0; ms < 1_000; ms++) {
			answers.push(reads.fresh('a', source.read), reads.fresh('a', source.read));
			await pass(1);
		}
		await pass(20);
		expect(await Promise.all(answers)).toHaveLength(2_000);
		// One per ten milliseconds, and one for those who asked while the last of them was under way.
		expect(source.reads).toBe(101);
	});

	test('of something else does not wait', async () => {
		const source = new Source();
		const reads = new SharedReads<number>(AGE_MS);
		const both = [reads.fresh('a', source.read), reads.fresh('b', source.read)];
		expect(source.reads).toBe(2);
		await pass(10);
		expect(await Promise.all(both)).toEqual([1, 1]);
	});
});

describe('a recent read', () => {
	test('is kept for as long as allowed, and replaced by each read', async () => {
		const source = new Source();
		const reads = new SharedReads<number>(AGE_MS);
		expect(reads.recent('a')).toBeUndefined();
		const read = reads.fresh('a', source.read);
		expect(reads.recent('a')).toBeUndefined();
		await pass(10);
		await read;
		expect(reads.recent('a')).toBe(1);
		expect(reads.recent('b')).toBeUndefined();

		await pass(AGE_MS / 2);
		source.value = 2;
		const again = reads.fresh('a', source.read);
		await pass(10);
		await again;
		expect(reads.recent('a')).toBe(2);
		await pass(AGE_MS);
		expect(reads.recent('a')).toBe(2);
		await pass(1);
		expect(reads.recent('a')).toBeUndefined();
	});

	test('is not replaced by a failure', async () => {
		const source = new Source();
		const reads = new SharedReads<number>(AGE_MS);
		const read = reads.fresh('a', source.read);
		await pass(100);
		await read;
		source.failure = new Error('lost');
		const failed = expect(reads.fresh('a', source.read)).rejects.toThrow('lost');
		await pass(100);
		await failed;
		expect(reads.recent('a')).toBe(1);
	});

	test('is forgotten when there are too many', async () => {
		const source = new Source();
		const reads = new SharedReads<number>(AGE_MS);
		const read = async (key: number) => {
			const answer = reads.fresh(String(key), source.read);
			await pass(10);
			await answer;
		};
		for (let key = 0; key < 1_000; key++) {
			void reads.fresh(String(key), source.read);
		}
		await pass(10);
		expect(reads.recent('0')).toBe(1);
		await read(1_000);
		expect(reads.recent('0')).toBeUndefined();
		expect(reads.recent('1000')).toBe(1);
	});
});
