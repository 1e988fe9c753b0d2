import { describe, expect, test } from '@jest/globals';

import { CoalescedReads } from '../../nodes/shared/coalescedReads';

/** A source whose reads end when the test says so. */
class Source {
	value = 1;
	reads = 0;
	private readonly ends: Array<(failure?: Error) => void> = [];

	/** Takes the value when it begins, as a database does, and gives it when it ends. */
	readonly read = async (): Promise<number> => {
		this.reads += 1;
		const { value } = this;
		return await new Promise((resolve, reject) => {
			this.ends.push((failure) => (failure === undefined ? resolve(value) : reject(failure)));
		});
	};

	async endOldest(failure?: Error): Promise<void> {
		this.ends.shift()?.(failure);
		await new Promise((resolve) => setImmediate(resolve));
	}
}

describe('reads that are shared', () => {
	test('a read under way is not given to who asks later, the next one is shared', async () => {
		const source = new Source();
		const reads = new CoalescedReads<number>();
		const first = reads.read('a', source.read);
		source.value = 2;
		const later = [1, 2, 3].map(async () => await reads.read('a', source.read));
		expect(source.reads).toBe(1);

		await source.endOldest();
		expect(await first).toBe(1);
		expect(source.reads).toBe(2);
		source.value = 3;
		const last = reads.read('a', source.read);
		await source.endOldest();
		expect(await Promise.all(later)).toEqual([2, 2, 2]);
		await source.endOldest();
		expect(await last).toBe(3);
		expect(source.reads).toBe(3);
	});

	test('nothing is remembered once a read has ended', async () => {
		const source = new Source();
		const reads = new CoalescedReads<number>();
		for (const value of [4, 5]) {
			source.value = value;
			const read = reads.read('a', source.read);
			await source.endOldest();
			expect(await read).toBe(value);
		}
	});

	test('a failed read fails for those who share it and for nobody else', async () => {
		const source = new Source();
		const reads = new CoalescedReads<number>();
		const first = expect(reads.read('a', source.read)).rejects.toThrow('lost');
		const shared = [1, 2].map(
			async () => await expect(reads.read('a', source.read)).rejects.toThrow('lost again'),
		);
		await source.endOldest(new Error('lost'));
		await first;
		const after = reads.read('a', source.read);
		await source.endOldest(new Error('lost again'));
		await Promise.all(shared);
		await source.endOldest();
		expect(await after).toBe(1);
	});

	test('what differs in its key is read apart', async () => {
		const source = new Source();
		const reads = new CoalescedReads<number>();
		const both = [reads.read('a', source.read), reads.read('b', source.read)];
		expect(source.reads).toBe(2);
		await source.endOldest();
		await source.endOldest();
		expect(await Promise.all(both)).toEqual([1, 1]);
	});
});
