// Our own code reader, for browsers without one. WebAssembly: only pages with a scanner may run it.

import { prepareZXingModule, readBarcodes } from "zxing-wasm/reader";

/** Load the reader from `wasm` (an address on this host). The result reads the first code of a picture, or null. */
export async function open(wasm: string): Promise<(frame: ImageData) => Promise<string | null>> {
  await prepareZXingModule({ overrides: { locateFile: () => wasm }, fireImmediately: true });
  return async (frame) => {
    const found = await readBarcodes(frame, { formats: ["QRCode"], maxNumberOfSymbols: 1, tryHarder: true });
    return found[0]?.text ?? null;
  };
}
