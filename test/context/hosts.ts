import type { ICredentialDataDecryptedObject, INodeParameters } from 'n8n-workflow';

import type { Sandbox } from '../../sandbox';
import type { ContextHost, ContextHostOptions } from '../../testkit/contextHost';
import type { TriggerUnderTest } from './providers';

/** What a trigger that registers itself differs in from the usual one. */
export interface Differences {
	readonly nodeParameters?: INodeParameters | undefined;
	readonly credential?: ICredentialDataDecryptedObject | undefined;
}

/** A host's options for a trigger that a person has registered at the provider, for its two events. */
export function registeredByHand(
	trigger: TriggerUnderTest,
	signingSecret: string,
	nodeParameters: INodeParameters = {},
): ContextHostOptions {
	const parameters = { registration: 'manual', ...nodeParameters };
	return { ...nodeOf(trigger, parameters), credential: { signingSecret } };
}

/** A host's options for a trigger that registers itself at the sandbox, for its two events. */
export function selfRegistering(
	trigger: TriggerUnderTest,
	sandbox: Sandbox,
	{ nodeParameters, credential }: Differences = {},
): ContextHostOptions {
	return {
		...nodeOf(trigger, { registration: 'automatic', ...nodeParameters }),
		credential: {
			...trigger.parameters,
			baseUrl: sandbox.url,
			apiKey: sandbox.keys[trigger.provider],
			...credential,
		},
	};
}

function nodeOf(trigger: TriggerUnderTest, nodeParameters: INodeParameters) {
	return {
		node: trigger.nodeType,
		credentialType: trigger.credentialType,
		parameters: { ...trigger.parameters, events: [...trigger.events], ...nodeParameters },
	};
}

/** Keeps the next delivery from being answered. @returns its arrival, and what lets it go on */
export function holdAnswer(host: ContextHost): { entered: Promise<void>; release: () => void } {
	let release = () => {};
	const entered = new Promise<void>((resolve) => {
		host.beforeAnswer = async () => {
			resolve();
			await new Promise<void>((done) => {
				release = done;
			});
		};
	});
	return { entered, release: () => release() };
}
