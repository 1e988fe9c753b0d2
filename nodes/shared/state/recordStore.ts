import { PerTrigger, type Owner } from './perTrigger';
import {
	readState,
	writeStates,
	type StaticData,
	type StoredStates,
	type TriggerState,
} from './triggerState';

/** What a process knows of one trigger. */
interface Known {
	readonly owner: Owner;
	state: TriggerState;
	/** The revision that n8n's database is believed to hold, and since when (epoch milliseconds). */
	saved: { readonly revision: number; readonly at: number };
}

const NEVER = { revision: 0, at: 0 } as const;
const MAX_WORKFLOWS = 10_000;
/** No call of n8n works on static data that it read longer ago than this. */
const CALL_LIMIT_MS = 60_000;

/**
 * The newest state that this process has seen of each trigger, by workflow and node id. n8n's static data is a
 * copy of it that n8n may lose or revert: a run writes the whole column at its end, as it was at its start.
 */
const workflows = new PerTrigger(() => new Map<string, Known>(), MAX_WORKFLOWS);

/** What one trigger remembers. */
export class RecordStore {
	/**
	 * @param known what the process knows; a test listener has a state of its own
	 * @param onChange called after each change
	 * @param save saves the newest states of the workflow's triggers
	 */
	private constructor(
		readonly owner: Owner,
		private readonly known: () => Known,
		private readonly onChange: () => void,
		private readonly save: () => Promise<void>,
	) {}

	/** For n8n's hooks: n8n saves what they assign to static data when they end. */
	static ofHook(context: StaticData, owner: Owner): RecordStore {
		learnState(context, owner);
		const write = () => writeStates(context, owner, newestStates(owner));
		write();
		return new RecordStore(
			owner,
			() => knownOf(owner),
			write,
			async () => {},
		);
	}

	/** For a test listener, whose static data n8n keeps apart from the workflow's and never saves. */
	static ofListener(context: StaticData, owner: Owner): RecordStore {
		const known: Known = { owner, state: readState(context, owner), saved: NEVER };
		const { workflowId, nodeId } = owner;
		const write = () => writeStates(context, owner, { [nodeId]: { ...known.state, workflowId } });
		return new RecordStore(
			owner,
			() => known,
			write,
			async () => {},
		);
	}

	/** For checks, whose static data is as old as the activation. @param save saves the states in a run */
	static ofCheck(owner: Owner, save: () => Promise<void>): RecordStore {
		return new RecordStore(
			owner,
			() => knownOf(owner),
			() => {},
			save,
		);
	}

	get state(): TriggerState {
		return this.known().state;
	}

	/** Whether n8n's database lacks something, as far as this process can tell. */
	get isUnsaved(): boolean {
		const { state, saved } = this.known();
		return state.revision > saved.revision;
	}

	/** Changes the state in this process: deliveries are verified with it from now on. */
	change(changes: Partial<TriggerState>): void {
		const known = this.known();
		const revision = Math.max(Date.now(), known.state.revision + 1);
		known.state = { ...known.state, ...changes, revision };
		this.onChange();
	}

	/** Makes sure that n8n's database has what changed. @throws when it could not be saved */
	async commit(): Promise<void> {
		const known = this.known();
		const { revision } = known.state;
		if (revision <= known.saved.revision) return;
		await this.save();
		if (revision > known.saved.revision) known.saved = { revision, at: Date.now() };
	}
}

/** The newest state of a trigger, and whether the static data of this call is behind it. */
export function learnState(
	context: StaticData,
	owner: Owner,
): { readonly state: TriggerState; readonly isBehind: boolean } {
	const stored = readState(context, owner);
	const known = knownOf(owner);
	const isBehind = stored.revision < known.state.revision;
	if (!isBehind) known.state = stored;
	// A call that began before the last save still sees older data.
	const isOfToday = !isBehind || Math.abs(Date.now() - known.saved.at) > CALL_LIMIT_MS;
	if (isOfToday && stored.revision !== known.saved.revision) {
		known.saved = { revision: stored.revision, at: Date.now() };
	}
	return { state: known.state, isBehind };
}

/** What a run has to save for every trigger of a workflow. */
export function newestStates({ workflowId }: Owner): StoredStates {
	const known = [...workflows.of(workflowId).values()].filter(({ state }) => state.revision > 0);
	return Object.fromEntries(
		known.map(({ owner, state }) => [owner.nodeId, { ...state, workflowId }]),
	);
}

/** Every trigger that this process has seen. */
export function knownTriggers(): ReadonlyArray<Pick<Known, 'owner' | 'state'>> {
	return [...workflows.entries()].flatMap(([, triggers]) => [...triggers.values()]);
}

function knownOf(owner: Owner): Known {
	const triggers = workflows.of(owner.workflowId);
	const known = triggers.get(owner.nodeId) ?? { owner, state: { revision: 0 }, saved: NEVER };
	triggers.set(owner.nodeId, known);
	return known;
}
