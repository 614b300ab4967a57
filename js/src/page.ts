// Entry of the page of a shared link (page.html).

import { Guest } from "./guest";
import { mount } from "./viewer/mount";

new Guest(document, { href: location.href, mount });
