// An answer whose text is at hand. A Response makes a stream of its text, and to read that again takes longer than all else
// that a short answer needs.

export class TextResponse extends Response {
  /** All of it; as a Response it has no body. */
  readonly whole: string

  constructor(whole: string, init: ResponseInit) {
    super(null, init)
    this.whole = whole
  }

  static ofJson(value: unknown, headers: Readonly<Record<string, string>>): TextResponse {
    return new TextResponse(JSON.stringify(value), {
      headers: { 'content-type': 'application/json', ...headers },
    })
  }
}
