/**
 * Refuses a release whose tag is not the version of every package that is built from it, or which
 * the changelog does not mention: `node scripts/check-tag.mjs v<version>`. No dependency, so that it
 * can run before anything is installed.
 */
import { readdirSync, readFileSync } from 'node:fs';

const [tag = ''] = process.argv.slice(2);
const root = new URL('../', import.meta.url);
const read = (file) => readFileSync(new URL(file, root), 'utf8');
const manifests = [
	'package.json',
	...readdirSync(new URL('packages/', root), { withFileTypes: true })
		.filter((entry) => entry.isDirectory())
		.map(({ name }) => `packages/${name}/package.json`),
];

const findings = manifests
	.map((file) => ({ file, version: JSON.parse(read(file)).version }))
	.filter(({ version }) => tag !== `v${version}`)
	.map(({ file, version }) => `${file} has version ${version}, the tag is ${tag || 'missing'}`);
if (
	!read('CHANGELOG.md')
		.split('\n')
		.includes(`## ${tag.slice(1)}`)
) {
	findings.push(`CHANGELOG.md has no section "## ${tag.slice(1)}"`);
}
for (const finding of findings) console.error(finding);
process.exitCode = findings.length === 0 ? 0 : 1;
