import path from 'node:path';

import { jest } from '@jest/globals';
import type { ICredentialType } from 'n8n-workflow';

import * as triggers from '../../testkit/triggers';
import type { TriggerNode } from '../../testkit/contextHost';

/** A trigger of the built package: tests run what is published, not what is written. */
export interface TriggerUnderTest extends triggers.TriggerCase {
	readonly nodeType: TriggerNode;
	readonly credentialType: ICredentialType;
}

export function load<T extends triggers.TriggerCase>(trigger: T): T & TriggerUnderTest {
	return {
		...trigger,
		nodeType: instantiate<TriggerNode>(trigger.nodeFile),
		credentialType: instantiate<ICredentialType>(trigger.credentialFile),
	};
}

export function instantiate<T>(file: string): T {
	const exported = jest.requireActual<Record<string, new () => T>>(
		path.join(__dirname, '../../dist', file),
	);
	const [Class] = Object.values(exported);
	if (Class === undefined) throw new Error(`${file} exports nothing`);
	return new Class();
}

export const misarMail = load(triggers.misarMail);
export const misarReach = load(triggers.misarReach);
export const misarPost = load(triggers.misarPost);
export const misarDev = load(triggers.misarDev);
export const misarInk = load(triggers.misarInk);
export const misarBlog = load(triggers.misarBlog);
export const mailPanda = load(triggers.mailPanda);
export const metigan = load(triggers.metigan);
export const triggersUnderTest = triggers.triggerCases.map(load);
/** Those that register themselves, as rows of a test that begin with their names. */
export const withApi = triggersUnderTest
	.filter(({ api }) => api !== undefined)
	.map((trigger): [string, TriggerUnderTest] => [trigger.title, trigger]);
