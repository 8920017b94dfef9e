// Pages with a map or a chart load this beside the script of every page.

import "./chart";
import "./flow";
import "./graph";
import "./map";
