/**
 * Prints one of the two commands that the README gives to developers, so that CI and the first-user
 * test run what the README says: `node scripts/readme-command.mjs <1|2>`. No dependency, because it
 * runs in a fresh clone.
 */
import { readFileSync } from 'node:fs';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const section = /^## Development$([^]*?)(?=^## |$(?![^]))/m.exec(readme)?.[1] ?? '';
const commands = [...section.matchAll(/^```bash\n(.+)\n```$/gm)].map(([, command]) => command);
const command = commands[Number(process.argv[2]) - 1];
if (commands.length !== 2 || command === undefined) {
	console.error(
		`README.md: "Development" should show two commands, each in a bash block of one line`,
	);
	process.exit(1);
}
console.log(command);
