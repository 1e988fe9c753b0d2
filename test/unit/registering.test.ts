import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';

import {
	checking,
	lastRegistration,
	registering,
} from '../../nodes/shared/registration/registering';

const never = new Promise<void>(() => {});
let triggers = 0;

describe('a check of an endpoint, and n8n’s hooks', () => {
	let owner: { workflowId: string; nodeId: string };

	beforeEach(() => {
		jest.useFakeTimers();
		owner = { workflowId: `workflow ${triggers++}`, nodeId: 'trigger' };
	});
	afterEach(() => {
		jest.useRealTimers();
	});

	it('a hook waits until the check ends', async () => {
		let endCheck = () => {};
		const work = jest.fn(async () => {});
		void checking(owner, async () => await new Promise<void>((end) => (endCheck = end)));
		const registered = registering(owner, work);
		await jest.advanceTimersByTimeAsync(10_000);
		expect(work).not.toHaveBeenCalled();
		endCheck();
		await jest.advanceTimersByTimeAsync(1_000);
		expect(work).toHaveBeenCalled();
		await registered;
	});

	it('a hook tells the check that it is waiting', async () => {
		void checking(owner, async () => await never);
		const before = lastRegistration(owner);
		void registering(owner, async () => {});
		expect(lastRegistration(owner)).toBeGreaterThan(before);
	});

	it('a hook does not wait for good', async () => {
		void checking(owner, async () => await never);
		const work = jest.fn(async () => 'registered');
		const registered = registering(owner, work);
		await jest.advanceTimersByTimeAsync(20_000);
		expect(await registered).toBe('registered');
	});

	it('a hook does not wait for a check that has failed', async () => {
		await expect(
			checking(owner, async () => {
				throw new Error('the provider is away');
			}),
		).rejects.toThrow('the provider is away');
		expect(await registering(owner, async () => 'registered')).toBe('registered');
	});

	it('a hook does not wait for a check that never ends once a later one has ended', async () => {
		void checking(owner, async () => await never);
		await checking(owner, async () => {});
		expect(await registering(owner, async () => 'registered')).toBe('registered');
	});

	it('no check begins while a hook is at work', async () => {
		let endHook = () => {};
		const registered = registering(
			owner,
			async () => await new Promise<void>((end) => (endHook = end)),
		);
		await jest.advanceTimersByTimeAsync(0);
		const check = jest.fn(async () => {});
		await checking(owner, check);
		expect(check).not.toHaveBeenCalled();
		endHook();
		await registered;
		await checking(owner, check);
		expect(check).toHaveBeenCalled();
	});

	it('neither waits for another trigger', async () => {
		void checking(owner, async () => await never);
		const other = { ...owner, nodeId: 'other' };
		expect(await registering(other, async () => 'registered')).toBe('registered');
	});
});
