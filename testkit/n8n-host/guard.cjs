'use strict';

const { spawn } = require('node:child_process');

/**
 * Run by `sh`: waits for a line on standard input. The end of the input without a line means that
 * the process that wrote to it is gone, however it ended: then the group `$1` is killed and the
 * folder `$2` (if given) removed, once nothing in the group can write to it any more.
 */
const SCRIPT = `
read -r _ && exit 0
kill -s KILL -- "-$1" 2>/dev/null
tries=0
while kill -s 0 -- "-$1" 2>/dev/null && [ $tries -lt 10 ]; do tries=$((tries+1)); sleep 0.1; done
[ -z "$2" ] || rm -rf -- "$2"
`;

/**
 * Makes sure that a process group does not outlive this process, not even when this process is
 * killed outright: handlers of `exit` and of signals would not run then, and jest keeps them from
 * running at all. CommonJS without dependencies, because both the installer and jest load it.
 *
 * @param {number} groupId - process group to kill
 * @param {string | undefined} removeFolder - folder to remove with it
 * @returns {() => void} call it once the group has ended on its own
 */
function guardGroup(groupId, removeFolder) {
	const guard = spawn('sh', ['-c', SCRIPT, 'guard', String(groupId), removeFolder ?? ''], {
		// Its own session: a Ctrl-C in the terminal must not end it before its work.
		detached: true,
		stdio: ['pipe', 'ignore', 'ignore'],
	});
	guard.unref();
	guard.stdin.unref();
	// It may have been ended together with everything else; then nothing is left to notify.
	guard.stdin.on('error', () => undefined);
	return () => guard.stdin.end('done\n');
}

module.exports = { guardGroup };
