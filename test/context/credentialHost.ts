import { CredentialTestContext } from 'n8n-core';
import type {
	ICredentialDataDecryptedObject,
	INodeCredentialTestResult,
	INodeType,
	IWorkflowExecuteAdditionalData,
} from 'n8n-workflow';

import { instantiate, type TriggerUnderTest } from './providers';

/** The answer of the node's own test to a credential with these fields and the defaults. */
export async function testCredential(
	{ credentialType, nodeFile }: TriggerUnderTest,
	fields: ICredentialDataDecryptedObject,
): Promise<INodeCredentialTestResult> {
	const { name, properties } = credentialType;
	const defaults = properties.map((property) => [property.name, property.default]);
	const data = { ...Object.fromEntries(defaults), ...fields };
	const node = instantiate<INodeType>(nodeFile);
	const testedBy = node.description.credentials?.find((one) => one.name === name)?.testedBy;
	const test = node.methods?.credentialTest?.[String(testedBy)];
	if (test === undefined) throw new Error(`No node tests ${name}`);
	const context = new CredentialTestContext({} as IWorkflowExecuteAdditionalData);
	return await test.call(context, { id: 'cred1', name: 'Test credential', type: name, data });
}
