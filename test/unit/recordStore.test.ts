import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { IDataObject, IRun, ITriggerFunctions } from 'n8n-workflow';

import { learnState, newestStates, RecordStore } from '../../nodes/shared/state/recordStore';
import { Runs } from '../../nodes/shared/state/runs';
import {
	readState,
	writeStates,
	type RegistrationRecord,
	type StaticData,
} from '../../nodes/shared/state/triggerState';

/** The state of a trigger, n8n's copy of it, and which of the two counts. */

const ENTRY = 'n8n-nodes-misar-metigan';
const NOW = Date.parse('2036-03-01T12:00:00Z');
const HOUR_MS = 3_600_000;

let workflows = 0;
let workflowId: string;
/** n8n's static data of the workflow: `global`, and that of each node. */
let column: Record<string, IDataObject>;

beforeEach(() => {
	workflowId = `workflow ${workflows++}`;
	column = { global: {}, node: {} };
	jest.useFakeTimers({ now: NOW });
});
afterEach(() => {
	jest.useRealTimers();
});

const owner = (nodeId = 'node') => ({ workflowId, nodeId });
/** As a call of one node sees it: each has data of its own. */
const staticData = (of = column, nodeId = 'node'): StaticData => ({
	getWorkflowStaticData: (type) => (of[type === 'node' ? nodeId : type] ??= {}),
});
const copyOf = (of = column): typeof column => structuredClone(of);
const record = (endpointId: string, nodeId = 'node'): RegistrationRecord => ({
	...owner(nodeId),
	endpointId,
	apiPath: '/webhooks',
});
/** The store of one of n8n's hooks, which writes to the column. */
const hook = (nodeId = 'node') => RecordStore.ofHook(staticData(column, nodeId), owner(nodeId));
const check = (save: () => Promise<void> = async () => {}) => RecordStore.ofCheck(owner(), save);
const storedId = (nodeId = 'node', of = column) =>
	readState(staticData(of, nodeId), owner(nodeId)).registration?.endpointId;
const knownId = (of = column) => learnState(staticData(of), owner()).state.registration?.endpointId;

describe('what cannot be read of a state', () => {
	const stored = (state: object) => {
		column['global'] = { [ENTRY]: { node: { workflowId, revision: 1, ...state } } };
		return readState(staticData(), owner());
	};

	it.each(['account', 'events', 'reported', 'url', 'unlisted', 'derived', 'sealedSecret'])(
		'does not lose the endpoint: %s',
		(field) => {
			for (const odd of [null, 7, {}, []]) {
				const { registration } = stored({ registration: { ...record('wh_1'), [field]: odd } });
				expect(registration).toMatchObject({ endpointId: 'wh_1', apiPath: '/webhooks' });
			}
		},
	);

	it('does not lose the other leftovers', () => {
		const leftovers = [
			{ endpointId: 'a' },
			null,
			{ endpointId: '..' },
			{ endpointId: 'b', url: 7 },
		];
		const ids = stored({ leftovers }).leftovers?.map(({ endpointId }) => endpointId);
		expect(ids).toEqual(['a', 'b']);
	});

	it.each([1e300, 2 ** 53, -1e300, 0.5, 'x'])(
		'is replaced by the next: revision %j',
		(revision) => {
			stored({ revision });
			hook().change({ registration: record('wh_1') });
			expect(storedId()).toBe('wh_1');
		},
	);

	it.each([1e300, -1, null])('is a time of no recovery: %j', (until) => {
		expect(stored({ recovery: { ...owner(), from: NOW, until } }).recovery).toBeUndefined();
	});
});

describe('the newest state that is known counts', () => {
	it('when n8n has lost the record or the whole column', () => {
		hook().change({ registration: record('wh_1') });
		for (const lost of [{}, { global: { n: 1 } }, { global: { [ENTRY]: 'broken' } }]) {
			expect(learnState(staticData(lost), owner())).toMatchObject({
				state: { registration: { endpointId: 'wh_1' } },
				isBehind: true,
			});
		}
	});

	it('when n8n has gone back to an older one', () => {
		hook().change({ registration: record('wh_1') });
		const older = copyOf();
		hook().change({ registration: record('wh_2') });
		expect(knownId(older)).toBe('wh_2');
		expect(learnState(staticData(), owner()).isBehind).toBe(false);
	});

	it('when another process has written a newer one', () => {
		hook().change({ registration: record('wh_1') });
		const theirs = copyOf();
		const later = { ...record('wh_2') };
		writeStates(staticData(theirs), owner(), {
			node: { workflowId, revision: NOW + 1, registration: later },
		});
		expect(knownId(theirs)).toBe('wh_2');
		expect(knownId()).toBe('wh_2');
	});

	it('for a hook, too, which writes back at once what n8n has lost', () => {
		hook().change({ registration: record('wh_1') });
		column = { global: { n: 1 }, node: {} };
		hook();
		expect(storedId()).toBe('wh_1');
		expect(column['global']).toMatchObject({ n: 1 });
	});
});

describe('the revision of a state', () => {
	const revision = () => readState(staticData(), owner()).revision;

	it.each([
		['stands still', 0],
		['was set back by an hour', -HOUR_MS],
		['was set back by a year', -365 * 24 * HOUR_MS],
		['goes on', HOUR_MS],
	])('grows with each change while the clock %s', (_what, ms) => {
		const store = hook();
		store.change({ registration: record('wh_1') });
		const before = revision();
		jest.setSystemTime(NOW + ms);
		store.change({ registration: record('wh_2') });
		expect(revision()).toBeGreaterThan(before);
		const again = revision();
		store.change({ registration: record('wh_3') });
		expect(revision()).toBeGreaterThan(again);
		expect(storedId()).toBe('wh_3');
	});

	it('grows in a new process whose clock is behind that of the last one', () => {
		writeStates(staticData(), owner(), {
			node: { workflowId, revision: NOW + HOUR_MS, registration: record('wh_1') },
		});
		hook().change({ registration: record('wh_2') });
		expect(storedId()).toBe('wh_2');
	});
});

describe('a run that saves', () => {
	it('restores nothing older, however late it ends', () => {
		hook().change({ registration: record('wh_1') });
		const states = newestStates(owner());
		hook().change({ registration: record('wh_2') });
		const saved = copyOf();
		writeStates(staticData(), owner(), states);
		expect(storedId()).toBe('wh_2');
		expect(column).toEqual(saved);
	});

	it('writes the newest state of every trigger of the workflow', () => {
		hook('one').change({ registration: record('wh_1', 'one') });
		hook('two').change({ registration: record('wh_2', 'two') });
		column = {};
		writeStates(staticData(column, 'one'), owner('one'), newestStates(owner('one')));
		expect([storedId('one'), storedId('two')]).toEqual(['wh_1', 'wh_2']);
	});

	it('drops the state that a copied workflow has from its original', () => {
		column = { global: { [ENTRY]: { node: { workflowId: 'original', revision: NOW + HOUR_MS } } } };
		hook().change({ registration: record('wh_1') });
		expect(column['global']?.[ENTRY]).toEqual({ node: expect.objectContaining({ workflowId }) });
	});

	it('is started once, and again if it failed', async () => {
		const save = jest.fn(async () => {});
		const store = check(save);
		await store.commit();
		expect(save).not.toHaveBeenCalled();
		store.change({ registration: record('wh_1') });
		save.mockRejectedValueOnce(new Error('the run failed'));
		await expect(store.commit()).rejects.toThrow('the run failed');
		expect(store.isUnsaved).toBe(true);
		await store.commit();
		await store.commit();
		expect(save).toHaveBeenCalledTimes(2);
		expect(store.isUnsaved).toBe(false);
	});

	it('waits for those of the workflow’s other triggers, which would overwrite it', async () => {
		type Emit = ITriggerFunctions['emit'];
		const ends: Array<() => void> = [];
		const emit: Emit = (_items, _response, done) =>
			void ends.push(() => done?.resolve({ status: 'success' } as Partial<IRun> as IRun));
		const context = { emit } as Partial<ITriggerFunctions> as ITriggerFunctions;
		const saves = [owner('one'), owner('two'), { ...owner('one'), workflowId: 'another' }].map(
			async (of) => await new Runs(context, of).save(),
		);
		await jest.advanceTimersByTimeAsync(0);
		expect(ends).toHaveLength(2);
		ends.forEach((end) => end());
		await jest.advanceTimersByTimeAsync(0);
		expect(ends).toHaveLength(3);
		ends.at(-1)?.();
		await Promise.all(saves);
	});

	it('does not count as saving what changed while it was under way', async () => {
		const store = check(async () => {
			store.change({ registration: record('wh_2') });
		});
		store.change({ registration: record('wh_1') });
		await store.commit();
		expect(store.isUnsaved).toBe(true);
	});
});

it('a publish keeps what a check recovers at the same time, and the check keeps what was published', () => {
	const cursor = { ...owner(), from: 1, until: 2 };
	const published = hook();
	published.change({ registration: record('wh_1'), recovery: cursor });
	const recovering = check();
	const publishing = hook();
	recovering.change({ recovery: { ...cursor, until: 3 } });
	publishing.change({ registration: record('wh_2') });
	expect(readState(staticData(), owner()).recovery?.until).toBe(3);
	recovering.change({ recovery: { ...cursor, until: 4 } });
	writeStates(staticData(), owner(), newestStates(owner()));
	expect(readState(staticData(), owner())).toMatchObject({
		registration: { endpointId: 'wh_2' },
		recovery: { until: 4 },
	});
});

it('a test listener neither sees nor changes what the published trigger remembers', () => {
	hook().change({ registration: record('wh_1') });
	const listener = RecordStore.ofListener(staticData({}), owner());
	listener.change({ registration: record('wh_test') });
	expect(knownId()).toBe('wh_1');
});

describe('a record that version 0.1 wrote', () => {
	const recovery = () => ({ ...owner(), from: 1, until: 2 });
	const replaced = () => ({ ...record('wh_0'), until: NOW + HOUR_MS });
	beforeEach(() => {
		column = {
			node: { registration: record('wh_1'), replaced: replaced(), recovery: recovery(), cursor: 7 },
		};
	});

	it('is read, and left in place while nothing changes', () => {
		const before = copyOf();
		expect(hook().state).toMatchObject({
			registration: { endpointId: 'wh_1' },
			replaced: { endpointId: 'wh_0' },
			recovery: { until: 2 },
		});
		expect(column).toEqual({ ...before, global: {} });
	});

	it('is migrated at the first change, and its old keys are removed', () => {
		hook().change({ recovery: { ...recovery(), until: 3 } });
		expect(column['node']).toEqual({ cursor: 7 });
		expect(readState(staticData(), owner())).toMatchObject({
			registration: { endpointId: 'wh_1' },
			replaced: { endpointId: 'wh_0' },
			recovery: { until: 3 },
		});
	});

	it('stays while only another trigger of the workflow writes', () => {
		const before = copyOf();
		hook('other').change({ registration: record('wh_2', 'other') });
		expect(column['node']).toEqual(before['node']);
		expect(storedId()).toBe('wh_1');
	});

	it.each([
		['a copied workflow', () => ({ ...record('wh_1'), workflowId: 'original' })],
		['a duplicated node', () => ({ ...record('wh_1'), nodeId: 'original' })],
		['nobody can read', () => ({ endpointId: 7 })],
	])('of %s is not used', (_what, registration) => {
		column = { node: { registration: registration() } };
		expect(hook().state.registration).toBeUndefined();
	});

	it('does not return after its migration, even if n8n restores the old column', () => {
		const old = copyOf();
		hook().change({ registration: record('wh_2') });
		expect(learnState(staticData(old), owner())).toMatchObject({
			state: { registration: { endpointId: 'wh_2' } },
			isBehind: true,
		});
		writeStates(staticData(old), owner(), newestStates(owner()));
		expect(storedId('node', old)).toBe('wh_2');
		expect(old['node']).toEqual({ cursor: 7 });
	});
});
