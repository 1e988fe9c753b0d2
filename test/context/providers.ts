import path from 'node:path';

import { jest } from '@jest/globals';

import type { ICredentialType, INodeParameters } from 'n8n-workflow';

import type { ProviderId } from '../../sandbox';
import type { TriggerNode } from './host';

/** A built trigger and credential with what a test needs to drive them at the sandbox. */
export interface TriggerUnderTest {
	readonly provider: ProviderId;
	readonly node: TriggerNode;
	readonly credentialType: ICredentialType;
	/** Parameters besides `registration`, `events` and `options`. */
	readonly parameters: INodeParameters;
	/** Two documented events. */
	readonly events: readonly [string, string];
	/** Scheme of the sandbox with a signed timestamp. */
	readonly timestampedScheme: string;
	/** Path of the management API. */
	readonly apiPath: string;
}

/** Loads a class of the built package: tests run what is published, not what is written. */
function built<T>(file: string, name: string): T {
	const loaded = jest.requireActual<Record<string, new () => T>>(
		path.join(__dirname, '../../dist', file),
	);
	const Class = loaded[name];
	if (Class === undefined) throw new Error(`${file} does not export ${name}`);
	return new Class();
}

export const misarMail: TriggerUnderTest = {
	provider: 'misar.mail',
	node: built<TriggerNode>('nodes/Misar/MisarTrigger.node.js', 'MisarTrigger'),
	credentialType: built<ICredentialType>('credentials/MisarApi.credentials.js', 'MisarApi'),
	parameters: { product: 'mail' },
	events: ['email.bounced', 'email.delivered'],
	timestampedScheme: 'timestamped',
	apiPath: '/mail/v1/webhooks',
};

export const metigan: TriggerUnderTest = {
	provider: 'metigan',
	node: built<TriggerNode>('nodes/Metigan/MetiganTrigger.node.js', 'MetiganTrigger'),
	credentialType: built<ICredentialType>('credentials/MetiganApi.credentials.js', 'MetiganApi'),
	parameters: {},
	events: ['email.bounced', 'email.delivered'],
	timestampedScheme: 'timestamped',
	apiPath: '/api/webhooks',
};
