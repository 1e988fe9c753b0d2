import type { IWebhookFunctions } from 'n8n-workflow';

import { problemsOf } from '../state/problems';
import type { Owner } from '../state/perTrigger';
import type { AcceptedDelivery, Rejection } from './accept';

/** Logs verified deliveries that are not as expected, so that none disappears unnoticed. */

type Context = Pick<IWebhookFunctions, 'logger' | 'getNode' | 'getWorkflow' | 'getMode'>;

/** Logs where a verified delivery differs from its documented shape; it is accepted all the same. */
export function logDeviations(context: Context, owner: Owner, { event }: AcceptedDelivery): void {
	const { name, warnings } = event;
	if (warnings.length === 0) return;
	logOnce(context, owner, 'warn', 'A verified delivery differs from its documented shape', name, {
		warnings,
	});
}

/** Logs that a verified delivery starts nothing. Pings are not logged. */
export function logIgnored(context: Context, owner: Owner, { event, reason }: Rejection): void {
	if (event === undefined) return;
	const message = `A verified delivery was ignored: ${reason}`;
	logOnce(context, owner, event.isUnknown ? 'warn' : 'info', message, event.name);
}

/** Logs a message once for each event: it would repeat with each delivery. @param facts about the first one */
function logOnce(
	context: Context,
	owner: Owner,
	level: 'warn' | 'info',
	message: string,
	event: string,
	facts: object = {},
): void {
	// A person who tests wants to see what became of each delivery, not only of the first.
	const isTest = context.getMode() === 'manual';
	const isFirst = problemsOf(owner).isFirst(`${message} ${event}`);
	if (!isFirst && !isTest) return;
	const details = {
		node: context.getNode().name,
		workflowId: context.getWorkflow().id,
		event,
		...facts,
	};
	if (level === 'warn') context.logger.warn(message, details);
	else context.logger.info(message, details);
}
