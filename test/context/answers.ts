import type { Sandbox } from '../../sandbox';
import type { TriggerUnderTest } from './providers';

/** Changes what a provider answers, for as long as no fault is cleared. */

/** An endpoint as a provider describes it. */
export type Entry = Readonly<Record<string, unknown>>;
/** Which calls are changed: those for one endpoint, for the list, or both. */
export type Place = 'one' | 'list' | 'both';

const ofOne = ({ api }: TriggerUnderTest) => new RegExp(`^${api?.path}/[^/]+$`);
const ofList = ({ api }: TriggerUnderTest) => new RegExp(`^${api?.path}$`);

/** The paths of calls. */
export function pathOf(trigger: TriggerUnderTest, place: Place): RegExp {
	if (place === 'both') return /^/;
	return place === 'one' ? ofOne(trigger) : ofList(trigger);
}

/** Rewrites every answer to a GET. */
export function rewriteAnswers(
	sandbox: Sandbox,
	trigger: TriggerUnderTest,
	rewrite: (answer: unknown) => unknown,
	{ place = 'both', method = 'GET' }: { place?: Place; method?: string } = {},
): void {
	sandbox.fault({
		provider: trigger.provider,
		method,
		path: pathOf(trigger, place),
		kind: 'rewrite',
		times: Number.POSITIVE_INFINITY,
		rewrite,
	});
}

/** Answers every call of one kind in the same way, without any effect. */
export function answerWith(
	sandbox: Sandbox,
	trigger: TriggerUnderTest,
	{ status, body, times = Number.POSITIVE_INFINITY }: Answer,
	{ place = 'both', method = 'GET' }: { place?: Place; method?: string } = {},
): void {
	sandbox.fault({
		provider: trigger.provider,
		method,
		path: pathOf(trigger, place),
		kind: 'status',
		status,
		times,
		...(body === undefined ? {} : { body }),
	});
}

export interface Answer {
	readonly status: number;
	/** Default: the provider's own words. */
	readonly body?: unknown;
	readonly times?: number;
}

/** Finds the list, or the single endpoint, in an answer. */
export function mapEntries(
	answer: unknown,
	ofList: (list: Entry[]) => unknown,
	ofOne: (entry: Entry) => unknown = (entry) => entry,
): unknown {
	if (Array.isArray(answer)) return ofList(answer);
	if (typeof answer !== 'object' || answer === null) return answer;
	if ('url' in answer) return ofOne({ ...answer });
	return Object.fromEntries(
		Object.entries(answer).map(([key, value]) => [key, mapEntries(value, ofList, ofOne)]),
	);
}

/** The same for every endpoint in an answer. */
export function mapEach(change: (entry: Entry) => unknown): (answer: unknown) => unknown {
	return (answer) => mapEntries(answer, (list) => list.map(change), change);
}
