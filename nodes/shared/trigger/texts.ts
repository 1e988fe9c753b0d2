import type { INodeTypeDescription, NodeHint } from 'n8n-workflow';

import { ALL_EVENTS } from '../events';
import { shortProductLabel } from '../properties';
import type { ProviderFamily } from '../provider';

/** Characters of a subtitle that the canvas shows. */
const MAX_SUBTITLE = 29;

/**
 * What the editor says around a trigger: below it on the canvas, beside its parameters, while it
 * listens for a test event, and when the workflow is published.
 *
 * @param name - what the user calls the provider, e.g. "Example Mail"
 */
export function triggerTexts(
	name: string,
	family: ProviderFamily,
): Required<
	Pick<
		INodeTypeDescription,
		'eventTriggerDescription' | 'activationMessage' | 'triggerPanel' | 'hints'
	>
> {
	const automatic = family.some(({ api }) => api !== undefined);
	const testUrl = automatic
		? `With automatic registration the test URL is registered with ${name} while you listen; with manual registration add the Test URL in ${name} yourself.`
		: `Add the Test URL in ${name} for that, and the Production URL again when you are done.`;
	const building = `<b>While you build</b>, click Execute step and make one of the chosen events happen in ${name}: the list of Events says how. It shows up here, and so does why a delivery was refused or ignored. ${testUrl}<br /><br />`;
	const starts = `every chosen event of ${name} starts this workflow`;
	const byHand = `${name} needs the Production URL of this trigger, which a duplicate does not share: the trigger’s panel lists the steps. From then on ${starts}.`;
	return {
		eventTriggerDescription: `Waiting for one event: make one of the chosen events happen in ${name}`,
		activationMessage: automatic
			? `With automatic registration ${starts} from now on. With manual registration ${byHand}`
			: byHand,
		triggerPanel: {
			header: `Start with an event from ${name}`,
			activationHint: {
				inactive: `Publish the workflow to receive events from ${name} all the time.`,
				active: `Published: events from ${name} start this workflow. Find those runs under <a data-key="executions">Executions</a>.`,
			},
			executionsHelp: {
				inactive: `${building}<b>When it works</b>, publish the workflow. From then on every chosen event starts it, and the runs are listed under <a data-key="executions">Executions</a>.`,
				active: `${building}<b>The workflow is published</b>: every chosen event starts it, and the runs are listed under <a data-key="executions">Executions</a>.`,
			},
		},
		hints: [...unverifiedHint(name, family), ...manualHint(name, family)],
	};
}

/** Only the option can be checked: a hint cannot see whether the credential holds a secret. */
function unverifiedHint(name: string, family: ProviderFamily): NodeHint[] {
	if (!family.some(({ secretOptional }) => secretOptional === true)) return [];
	return [
		{
			message: `Accept Unverified Deliveries is on: unless the credential holds a signing secret, verification is off and anybody who learns the webhook URL can start this workflow, not only ${name}.`,
			type: 'warning',
			location: 'outputPane',
			displayCondition: '={{ $parameter.options?.acceptUnverified === true }}',
		},
	];
}

function manualHint(name: string, family: ProviderFamily): NodeHint[] {
	const manualOnly = family.filter(({ api }) => api === undefined);
	const products = JSON.stringify(manualOnly.map(({ product }) => product ?? ''));
	return [
		{
			message: `Manual registration: ${name} sends nothing until you have added the webhook URL there: the Production URL, by the steps above Events, or the Test URL while you test with Execute step.`,
			type: 'info',
			location: 'outputPane',
			whenToDisplay: 'beforeExecution',
			displayCondition: `={{ $parameter.registration === "manual" || ${products}.includes($parameter.product ?? "") }}`,
		},
	];
}

/** An expression for the line below a trigger: "Email Bounced, Marked as Spam", "Reach: Deal Won +2". */
export function triggerSubtitle(family: ProviderFamily): string {
	const labels = {
		[ALL_EVENTS]: 'All Events',
		...Object.fromEntries(
			family.flatMap(({ events }) => events.map(({ name, label }) => [name, label])),
		),
	};
	const selected = '[].concat($parameter.events ?? [])';
	const custom =
		'($parameter.options?.customEvents ?? "").split(/[\\s,]+/).filter((name) => name !== "")';
	const names = `[...${selected}, ...${custom}].map((name) => (${JSON.stringify(labels)})[name] ?? name)`;
	// The first one, and the second if it is the last and both can be read.
	const shown = `[${names}].map((all) => all.length < 2 || (all.length === 2 && all.join(", ").length <= ${MAX_SUBTITLE}) ? all.join(", ") : all[0] + " +" + (all.length - 1))[0]`;
	const product = shortProductLabel(family);
	return product === undefined
		? `={{ ${shown} }}`
		: `={{ [${product}, ${shown}].filter((part) => part !== "").join(": ") }}`;
}
