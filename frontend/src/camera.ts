// Reads codes from the camera: by the browser's own reader where it has one, else by ours, fetched only then.

type Read = (frame: ImageData) => Promise<string | null>;

interface NativeReader {
  detect(source: ImageData): Promise<{ rawValue: string }[]>;
}
interface NativeReaderClass {
  new (options: { formats: string[] }): NativeReader;
  getSupportedFormats(): Promise<string[]>;
}

/** Pause between two looks at the picture, in milliseconds: quick enough for a hand, slow enough for a cheap phone. */
const EVERY = 120;

async function reader(decoder: string, wasm: string): Promise<Read> {
  const native = (globalThis as { BarcodeDetector?: NativeReaderClass }).BarcodeDetector;
  if (native && (await native.getSupportedFormats()).includes("qr_code")) {
    const detector = new native({ formats: ["qr_code"] });
    return async (frame) => (await detector.detect(frame))[0]?.rawValue ?? null;
  }
  const own = (await import(new URL(decoder, location.href).href)) as { open(wasm: string): Promise<Read> };
  return own.open(new URL(wasm, location.href).href);
}

export class Camera {
  private stream: MediaStream | null = null;
  private running = false;

  constructor(
    private readonly video: HTMLVideoElement,
    private readonly decoder: string,
    private readonly wasm: string,
  ) {}

  /** Open the camera that looks away from the user; `found` gets the first code. Rejects without a camera or leave. */
  async start(found: (text: string) => void): Promise<void> {
    this.running = true;
    const [read, stream] = await Promise.all([
      reader(this.decoder, this.wasm),
      navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1280 } } }),
    ]);
    this.stream = stream;
    this.video.srcObject = stream;
    await this.video.play();
    void this.look(read, found);
  }

  stop(): void {
    this.running = false;
    this.stream?.getTracks().forEach((track) => track.stop());
    this.stream = null;
    this.video.srcObject = null;
  }

  private async look(read: Read, found: (text: string) => void): Promise<void> {
    const canvas = document.createElement("canvas");
    const context = canvas.getContext("2d", { willReadFrequently: true });
    while (this.running && context) {
      const { videoWidth: width, videoHeight: height } = this.video;
      if (width && height) {
        canvas.width = width;
        canvas.height = height;
        context.drawImage(this.video, 0, 0);
        const text = await read(context.getImageData(0, 0, width, height));
        if (text && this.running) return found(text);
      }
      await new Promise((resolve) => setTimeout(resolve, EVERY));
    }
  }
}
