// pick.mjs OWN FILES BYTES CONTROL...: prints which inputs to keep beside those
// in the folder OWN, as long as that is no more than so many files and bytes:
// one after the other, always the one with most features for its size that none
// of these has. CONTROL: a control file of libFuzzer's -set_cover_merge=1, with
// the features of each input; when all are had, those of the next one.

import { createReadStream, statSync } from 'node:fs';
import { createInterface } from 'node:readline';

const A_FILE = 10000;              // bytes that one more is worth

const [own, files, bytes, ...controls] = process.argv.slice(2);
const picked = new Set();
let room = Number(bytes);

// The inputs that were not picked, and the features of those that were.
async function read(control) {
	const names = [], left = [], has = new Set();
	let count = null, head = 0;
	const text = createReadStream(control);
	for await (const line of createInterface({ input: text })) {
		if (count === null) {
			count = Number(line);
		} else if (head++ && names.length < count) {
			names.push(line);
		} else if (line.startsWith('FT ')) {
			const [i, ...features] = line.slice(3).split(' ').map(Number);
			const name = names[i];
			if (picked.has(name) || name.startsWith(`${own}/`))
				features.forEach((f) => has.add(f));
			else
				left.push({ name, features, size: statSync(name).size });
		}
	}
	return { left, has };
}

// What one is worth only ever gets less, so few need to be looked at again.
function best(left, has) {
	let found = null;
	for (const input of left) {
		if (found && input.worth <= found.worth)
			break;
		input.features = input.features.filter((f) => !has.has(f));
		input.worth = input.features.length / (input.size + A_FILE);
		if (!found || input.worth > found.worth)
			found = input;
	}
	return found;
}

for (const control of controls) {
	let { left, has } = await read(control);
	left.forEach((input) => { input.worth = Infinity; });
	while (picked.size < Number(files)) {
		left = left.filter((input) => input.worth && input.size <= room)
			.sort((a, b) => b.worth - a.worth);
		const input = best(left, has);
		if (!input?.worth)
			break;
		console.log(input.name);
		picked.add(input.name);
		input.features.forEach((f) => has.add(f));
		room -= input.size;
		input.worth = 0;
	}
}
