'use strict';

const { appendFileSync } = require('node:fs');
const Module = require('node:module');

/** Required before n8n: writes down each file of the package that is loaded, to `LOADED_FILES`. */
const load = Module._extensions['.js'];
Module._extensions['.js'] = function record(module, file) {
	const at = file.lastIndexOf('/n8n-nodes-misar-metigan/dist/');
	if (at >= 0) appendFileSync(process.env.LOADED_FILES, `${file.slice(at)}\n`);
	return load.call(this, module, file);
};
