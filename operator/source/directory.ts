import { watch } from 'node:fs'
import type { FSWatcher } from 'node:fs'
import { join } from 'node:path'
import type { Source, Touched, World } from '../world.ts'
import { readFolder } from './folder.ts'
import type { ManifestFile } from './folder.ts'
import { readManifests } from './manifest.ts'
import type { Contents } from './manifest.ts'
import { Shelf } from './shelf.ts'
import type { Finding } from './shelf.ts'

export interface DirectoryOptions {
  /** For `${NAME}` in Secrets. */
  readonly environment: NodeJS.ProcessEnv
  /** Hears of each reading after the first that found something other than before. */
  readonly saved?: (touched: readonly Touched[]) => void
  /** Hears, at each try, of a folder that cannot be read; the world stays as it was. */
  readonly unreadable?: (error: unknown) => void
}

/** After the last of a burst of changes, and from its first at the latest, ms. */
const QUIET = 15
const LATEST = 150
/** For file systems that tell nothing of changes, such as network mounts and what links point at, ms. */
const RESCAN = 1000
/** Editors and copies empty or remove a file for a moment; it is believed to be so after this long, ms. */
const DOUBT = 200

/** The world as a folder of manifests has it: saving a file is an edit. */
export class DirectorySource implements Source {
  readonly #folder: string
  readonly #options: DirectoryOptions
  readonly #shelf = new Shelf()
  #files: ReadonlyMap<string, ManifestFile> = new Map()
  #contents = new Map<string, { readonly text: string; readonly contents: Contents }>()
  readonly #doubted = new Map<string, number>()
  #watcher: FSWatcher | undefined
  #changed: ((touched?: Touched) => void) | undefined
  #timer: NodeJS.Timeout | undefined
  #rescan: NodeJS.Timeout | undefined
  #burst: number | undefined
  #reading = Promise.resolve()
  #stopped = false

  constructor(folder: string, options: DirectoryOptions) {
    this.#folder = folder
    this.#options = options
  }

  /** Resolves when the folder was read; rejects where it cannot be. */
  async start(changed: (touched?: Touched) => void): Promise<void> {
    this.#watch()
    await this.#read()
    this.#changed = changed
    this.#rescan = setInterval(() => this.#soon(), RESCAN).unref()
  }

  world(): World {
    return this.#shelf.world
  }

  /** What is wrong with the manifests as they are now. */
  get findings(): readonly Finding[] {
    return this.#shelf.findings
  }

  /** Where an object is written, `FILE:LINE`; `id` is `KIND namespace/name`. */
  at(id: string): string | undefined {
    return this.#shelf.at(id)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#watcher?.close()
    clearTimeout(this.#timer)
    clearInterval(this.#rescan)
    await this.#reading
  }

  /** Where watching is not to be had, the rescan is enough. */
  #watch(): void {
    try {
      this.#watcher = watch(this.#folder, { recursive: true, persistent: false }, () => this.#soon())
      this.#watcher.on('error', () => this.#watcher?.close())
    } catch {
      this.#watcher = undefined
    }
  }

  #soon(after = QUIET): void {
    if (this.#stopped) return
    const now = performance.now()
    this.#burst ??= now
    clearTimeout(this.#timer)
    this.#timer = setTimeout(
      () => {
        this.#burst = undefined
        this.#reading = this.#reading.then(async () => {
          try {
            await this.#read()
          } catch (error) {
            this.#options.unreadable?.(error)
          }
        })
      },
      Math.max(0, Math.min(after, this.#burst + Math.max(after, LATEST) - now)),
    )
  }

  async #read(): Promise<void> {
    const found = this.#believed(await readFolder(this.#folder, this.#files))
    if (this.#stopped) return
    const same =
      found.size === this.#files.size && [...found].every(([path, { text }]) => this.#files.get(path)?.text === text)
    this.#files = found
    if (same && this.#changed) return
    const contents = new Map([...found].map(([path, { text }]) => [path, this.#parsed(path, text)]))
    for (const path of this.#contents.keys()) if (!found.has(path)) this.#contents.delete(path)
    const touched = this.#shelf.update(contents)
    if (!this.#changed) return
    for (const it of touched) this.#changed(it)
    this.#options.saved?.(touched)
  }

  #parsed(path: string, text: string): Contents {
    const known = this.#contents.get(path)
    if (known?.text === text) return known.contents
    const contents = readManifests(join(this.#folder, path), text, this.#options.environment)
    this.#contents.set(path, { text, contents })
    return contents
  }

  /** Files that have gone or are empty count as they were, until they have been so for a while. */
  #believed(found: Map<string, ManifestFile>): ReadonlyMap<string, ManifestFile> {
    const now = performance.now()
    const files = new Map(found)
    let doubt = false
    for (const [path, before] of this.#files) {
      const gone = !found.has(path) || (found.get(path)?.text.trim() === '' && before.text.trim() !== '')
      if (!gone) {
        this.#doubted.delete(path)
        continue
      }
      const since = this.#doubted.get(path) ?? now
      this.#doubted.set(path, since)
      if (now - since >= DOUBT) {
        this.#doubted.delete(path)
        continue
      }
      files.set(path, before)
      doubt = true
    }
    if (doubt) setTimeout(() => this.#soon(0), DOUBT).unref()
    return new Map([...files].sort(([a], [b]) => (a < b ? -1 : 1)))
  }
}
