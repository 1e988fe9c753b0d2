import type { ITriggerFunctions } from 'n8n-workflow';

import { messageOf, warn } from '../log';
import { isProven, reachOf, reachText } from '../registration/reach';
import type { Owner } from '../state/perTrigger';
import { problemsOf } from '../state/problems';

/** Longer than a publish takes to take effect, or n8n to start. */
const ASK_FOR_MS = 30_000;

/**
 * After a publish: finds out whether the public address of a trigger leads to this n8n, and reports it. Never rejects.
 * @param isWanted returns false once the workflow is unpublished
 */
export async function reportReach(
	context: ITriggerFunctions,
	owner: Owner,
	url: string,
	isWanted: () => boolean,
): Promise<void> {
	try {
		const reach = await reachOf(context, url, ASK_FOR_MS, isWanted);
		if (reach === undefined) return;
		const text = reachText(reach, url);
		if (isProven(reach)) {
			problemsOf(owner).addressUnreachable(text, url, Date.now());
			warn(context, text);
			return;
		}
		context.logger.info(text, { workflowId: owner.workflowId, node: context.getNode().name });
	} catch (error) {
		warn(context, `Whether the webhook URL reaches this n8n is not known: ${messageOf(error)}`);
	}
}
