import type { IHookFunctions } from 'n8n-workflow';

import type { Provider } from '../provider';

/** What the Problem output of a trigger reports. */
export type ProblemKind =
	| 'deliveriesRefused'
	| 'verifiedByPreviousSecret'
	| 'endpointRepaired'
	| 'endpointUnreachable'
	| 'endpointLeftBehind'
	| 'addressUnreachable'
	| 'eventsGivenUp'
	| 'eventsUnknown';

/** What can be wrong with a registered endpoint. */
export type Difference = 'deleted' | 'switchedOff' | 'changed' | 'secretChanged';

/** Whose problem it is. */
export interface ProblemSource {
	readonly provider: Provider;
	readonly workflow: { readonly id: string; readonly name: string; readonly url: string };
	/** The workflow's, as IANA names it. */
	readonly timezone: string;
}

/** More facts of the last problem of a kind. */
export interface Facts {
	readonly endpointId?: string;
	readonly url?: string;
	readonly reason?: string;
	/** The provider sends the delivery again. */
	readonly isPutOff?: boolean;
}

/** The occurrences of one kind of problem since it was last reported. */
export interface Entry {
	/** Epoch milliseconds, as all times here. */
	readonly since: number;
	/** Since when events may be missing. */
	readonly missingFrom: number | undefined;
	last: number;
	count: number;
	/** How often each reason or name occurred. */
	readonly counts: Map<string, number>;
	facts: Facts;
}

/** The same, with what else is known of the trigger. */
export interface Happened extends Readonly<Entry> {
	readonly lastValidAt: number | undefined;
	readonly lastGoodAt: number | undefined;
	/** How often each event started nothing. */
	readonly ignored: ReadonlyMap<string, number>;
}

/** Where a node's problems happen, as n8n names it. */
export function problemSource(
	context: Pick<IHookFunctions, 'getWorkflow' | 'getTimezone' | 'getInstanceBaseUrl'>,
	provider: Provider,
): ProblemSource {
	const { id = '', name = '' } = context.getWorkflow();
	return {
		provider,
		workflow: { id, name, url: `${context.getInstanceBaseUrl()}/workflow/${id}` },
		timezone: context.getTimezone(),
	};
}
