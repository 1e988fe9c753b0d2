import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';

import { endpointLock, type EndpointLock } from '../../nodes/shared/state/endpointLock';

const never = new Promise<void>(() => {});
let triggers = 0;

describe('the endpoint lock', () => {
	let lock: EndpointLock;

	beforeEach(() => {
		jest.useFakeTimers();
		lock = endpointLock({ workflowId: `workflow ${triggers++}`, nodeId: 'trigger' });
	});
	afterEach(() => {
		jest.useRealTimers();
	});

	it('makes a hook wait until the check ends', async () => {
		let endCheck = () => {};
		const work = jest.fn(async () => {});
		void lock.tryCheck(async () => await new Promise<void>((end) => (endCheck = end)));
		const registered = lock.hook(work);
		await jest.advanceTimersByTimeAsync(10_000);
		expect(work).not.toHaveBeenCalled();
		endCheck();
		await jest.advanceTimersByTimeAsync(1_000);
		expect(work).toHaveBeenCalled();
		await registered;
	});

	it('tells the check that a hook is waiting', async () => {
		void lock.tryCheck(async () => await never);
		const before = lock.generation;
		void lock.hook(async () => {});
		expect(lock.generation).not.toBe(before);
	});

	it('lets a hook go on after 15 seconds of waiting', async () => {
		void lock.tryCheck(async () => await never);
		const work = jest.fn(async () => 'registered');
		const registered = lock.hook(work);
		await jest.advanceTimersByTimeAsync(20_000);
		expect(await registered).toBe('registered');
	});

	it('makes no hook wait for a check that has failed', async () => {
		await expect(
			lock.tryCheck(async () => {
				throw new Error('the provider is away');
			}),
		).rejects.toThrow('the provider is away');
		expect(await lock.hook(async () => 'registered')).toBe('registered');
	});

	it('makes no hook wait for a check that never ends once a later one has ended', async () => {
		void lock.tryCheck(async () => await never);
		await lock.tryCheck(async () => {});
		expect(await lock.hook(async () => 'registered')).toBe('registered');
	});

	it('lets no check begin while a hook is at work', async () => {
		let endHook = () => {};
		const registered = lock.hook(async () => await new Promise<void>((end) => (endHook = end)));
		await jest.advanceTimersByTimeAsync(0);
		const check = jest.fn(async () => {});
		await lock.tryCheck(check);
		expect(check).not.toHaveBeenCalled();
		endHook();
		await registered;
		await lock.tryCheck(check);
		expect(check).toHaveBeenCalled();
	});

	it('runs hooks one after the other, even when one of them fails', async () => {
		let endFirst = () => {};
		const first = lock.hook(
			async () => await new Promise<void>((_, fail) => (endFirst = () => fail(new Error('no')))),
		);
		const second = jest.fn(async () => {});
		const registered = lock.hook(second);
		await jest.advanceTimersByTimeAsync(1_000);
		expect(second).not.toHaveBeenCalled();
		endFirst();
		await expect(first).rejects.toThrow('no');
		await registered;
		expect(second).toHaveBeenCalled();
	});

	it('lets a check begin again after a hook that failed', async () => {
		const failed = lock.hook(async () => {
			throw new Error('the provider is away');
		});
		await expect(failed).rejects.toThrow('the provider is away');
		const check = jest.fn(async () => {});
		await lock.tryCheck(check);
		expect(check).toHaveBeenCalled();
	});

	it('makes a hook wait for the newer of two checks, although the older one ends first', async () => {
		let endOlder = () => {};
		let endNewer = () => {};
		const older = lock.tryCheck(async () => await new Promise<void>((end) => (endOlder = end)));
		void lock.tryCheck(async () => await new Promise<void>((end) => (endNewer = end)));
		endOlder();
		await older;
		const work = jest.fn(async () => {});
		const registered = lock.hook(work);
		await jest.advanceTimersByTimeAsync(5_000);
		expect(work).not.toHaveBeenCalled();
		endNewer();
		await jest.advanceTimersByTimeAsync(1_000);
		expect(work).toHaveBeenCalled();
		await registered;
	});

	it('makes a new test listener wait for every removal that is under way, in order', async () => {
		const ends: Array<() => void> = [];
		const removal = jest.fn(async () => await new Promise<void>((end) => ends.push(end)));
		lock.removeLater(removal);
		lock.removeLater(removal);
		let isOver = false;
		const removed = lock.removed().then(() => (isOver = true));
		await jest.advanceTimersByTimeAsync(0);
		expect(removal).toHaveBeenCalledTimes(1);
		ends[0]?.();
		await jest.advanceTimersByTimeAsync(0);
		expect(removal).toHaveBeenCalledTimes(2);
		expect(isOver).toBe(false);
		ends[1]?.();
		await removed;
		expect(isOver).toBe(true);
	});

	it('makes nothing wait for another trigger', async () => {
		void lock.tryCheck(async () => await never);
		const other = endpointLock({ workflowId: `workflow ${triggers++}`, nodeId: 'other' });
		expect(await other.hook(async () => 'registered')).toBe('registered');
	});
});
