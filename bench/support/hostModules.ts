import { createRequire } from 'node:module';
import { join } from 'node:path';

import type * as Core from 'n8n-core';
import type * as Workflow from 'n8n-workflow';

/**
 * What runs in production: the pinned n8n's own n8n-core and n8n-workflow, and the packed
 * package as n8n installed it. Only for programs that run under the pinned n8n's Node, with its
 * `node_modules` on NODE_PATH as n8n itself sets it.
 */
export interface HostModules {
	readonly core: typeof Core;
	readonly workflow: typeof Workflow;
	/** A node of the package, by its compiled file. */
	ownNode(file: string): Workflow.INodeType;
	ownCredential(file: string): Workflow.ICredentialType;
	/** Another compiled file of the package. */
	ownModule<T>(file: string): T;
}

export interface HostPlace {
	/** The folder of the pinned n8n. */
	readonly n8nDir: string;
	/** The folder that the packed package is installed in. */
	readonly packageDir: string;
}

export function loadHostModules({ n8nDir, packageDir }: HostPlace): HostModules {
	const fromHost = createRequire(join(n8nDir, 'package.json'));
	const fromPackage = createRequire(join(packageDir, 'package.json'));
	const construct = <T>(exported: Record<string, new () => T>): T => {
		const [first] = Object.values(exported);
		if (first === undefined) throw new Error('the file exports no class');
		return new first();
	};
	return {
		core: fromHost('n8n-core'),
		workflow: fromHost('n8n-workflow'),
		ownNode: (file) => construct(fromPackage(`./dist/${file}`)),
		ownCredential: (file) => construct(fromPackage(`./dist/${file}`)),
		ownModule: (file) => fromPackage(`./dist/${file}`),
	};
}
