// main.js: the page shows the two pictures and offers `phone` to its driver
import { Phone } from './phone.js';

globalThis.openPhone = (options) => {
	const phone = new Phone(options);
	phone.onStream = (which, stream) => {
		document.getElementById(which).srcObject = stream;
	};
	globalThis.phone = phone;
	document.title = options.jid;
	return phone.login();
};
