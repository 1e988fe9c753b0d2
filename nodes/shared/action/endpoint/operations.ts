import type { Operation } from '../../provider';
import { create } from './create';
import { createOrUpdate } from './createOrUpdate';
import { deleteEndpoint } from './delete';
import { diagnose } from './diagnose';
import { get } from './get';
import { getMany } from './getMany';
import { sendTest } from './sendTest';
import { update } from './update';

/** Webhook endpoints at the provider. */
export const endpointOperations: readonly Operation[] = [
	create,
	createOrUpdate,
	deleteEndpoint,
	diagnose,
	get,
	getMany,
	sendTest,
	update,
];
