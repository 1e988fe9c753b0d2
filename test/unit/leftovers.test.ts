import { expect, it } from '@jest/globals';

import { removeLeftovers } from '../../nodes/shared/registration/remove';
import type { EndpointSession } from '../../nodes/shared/registration/session';
import type { TriggerState } from '../../nodes/shared/state/triggerState';

/** Endpoints of ours that are still to be removed. */

it('the others are removed if one cannot be, which stays known', async () => {
	const state: TriggerState = {
		revision: 1,
		leftovers: ['a', 'b', 'c'].map((endpointId) => ({ endpointId })),
	};
	const removed: string[] = [];
	const session = {
		store: { state, change: (change: object) => Object.assign(state, change) },
		provider: { product: undefined, displayName: 'Metigan' },
		credential: { decrypted: {} },
		api: {
			remove: async (id: string) => {
				if (id === 'b') throw new Error('b is in use');
				removed.push(id);
				return 'deleted';
			},
		},
		assertCurrent: () => {},
	};
	await expect(removeLeftovers(session as never as EndpointSession)).rejects.toThrow('b is in use');
	expect(removed).toEqual(['a', 'c']);
	expect(state.leftovers).toEqual([{ endpointId: 'b' }]);
});
