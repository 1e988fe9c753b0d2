import { sleep, type IHookFunctions } from 'n8n-workflow';

import { ReachCheck } from '../state/reachChecks';
import { noAnswer } from '../unreachable';
import { isRefusalOfOurs, saysNotRegistered, sendUnsigned, type Reply } from './webhookProbe';

/**
 * What answers when this n8n sends a request to a webhook URL.
 *
 * - `reached`: this process has received the request.
 * - `otherProcess`: a trigger of the package answers, in another process: of queue mode, or of another n8n.
 * - `notRegistered`: an n8n that has no such webhook.
 * - `starting`: n8n's start-up page.
 * - `otherAnswer`: something that is not a trigger of the package.
 * - `noAnswer`: nothing that can be reached from here.
 */
export type Reach =
	| { readonly outcome: 'reached' | 'otherProcess' | 'notRegistered' | 'starting' }
	| { readonly outcome: 'otherAnswer'; readonly status: number }
	| { readonly outcome: 'noAnswer'; readonly code: string };

const ASK_AGAIN_MS = 1_000;
/** n8n, and proxies in front of it, answer with these while n8n is not ready. */
const PASSING_STATUSES = [502, 503, 504];

/**
 * Sends an unsigned request to a webhook URL, which starts nothing. Repeats it while the answer may be due to a publish
 * or a start that is under way.
 * @param askForMs milliseconds after which it is not repeated
 * @param isWanted returns false when the result is no longer wanted
 * @returns undefined if it was no longer wanted; never rejects
 */
export async function reachOf(
	context: Pick<IHookFunctions, 'helpers'>,
	url: string,
	askForMs: number,
	isWanted: () => boolean = () => true,
): Promise<Reach | undefined> {
	const until = performance.now() + askForMs;
	for (;;) {
		const check = new ReachCheck();
		const reply = await check.during(async (headers) => await sendUnsigned(context, url, headers));
		if (!isWanted()) return undefined;
		const reach = check.hasArrived ? { outcome: 'reached' as const } : meaningOf(reply);
		if (!mayPass(reach) || performance.now() >= until) return reach;
		await sleep(ASK_AGAIN_MS);
	}
}

function meaningOf(reply: Reply): Reach {
	if ('code' in reply) return { outcome: 'noAnswer', code: reply.code };
	if (isRefusalOfOurs(reply)) return { outcome: 'otherProcess' };
	if (saysNotRegistered(reply)) return { outcome: 'notRegistered' };
	const { statusCode: status, body } = reply;
	return saysStarting(body) ? { outcome: 'starting' } : { outcome: 'otherAnswer', status };
}

/** n8n's page, with status 200: "n8n is starting up. Please wait" */
function saysStarting(body: unknown): boolean {
	return typeof body === 'string' && body.includes('n8n is starting up');
}

function mayPass(reach: Reach): boolean {
	if (reach.outcome === 'otherAnswer') return PASSING_STATUSES.includes(reach.status);
	return reach.outcome === 'notRegistered' || reach.outcome === 'starting';
}

/** Whether it is certain that deliveries to the URL do not arrive. */
export function isProven({ outcome }: Reach): boolean {
	return outcome === 'notRegistered' || outcome === 'starting' || outcome === 'otherAnswer';
}

/** Says in sentences what answers at a webhook URL, and what to do. */
export function reachText(reach: Reach, url: string): string {
	switch (reach.outcome) {
		case 'reached':
			return `The webhook URL ${url} reaches this n8n.`;
		case 'otherProcess':
			return `A trigger of this package answers at the webhook URL ${url}, in another process. In queue mode that is as it should be; otherwise another n8n has this address.`;
		case 'notRegistered':
			return `An n8n answers at the webhook URL ${url}, but has no such webhook. If the workflow is published, another n8n has this address: set N8N_WEBHOOK_URL (WEBHOOK_URL in n8n 1.x) to the address of this one, then publish again. If this n8n has it, delete the trigger, add it again and publish.`;
		case 'starting':
			return `An n8n that is still starting answers at the webhook URL ${url}. If this n8n is not starting, another one has this address.`;
		case 'otherAnswer':
			return `Something other than this n8n answers at the webhook URL ${url} (HTTP ${reach.status}), such as a proxy with a login page. It has to pass on POST requests below /webhook/ to n8n without a login.`;
		case 'noAnswer':
			return `${noAnswer(`The webhook URL ${url}`, reach.code).message} from this n8n itself. That proves nothing: many networks do not let a machine reach its own public address. Ask from outside: any answer from n8n means that it is reachable.`;
	}
}
