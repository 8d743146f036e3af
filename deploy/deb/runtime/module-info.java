/** The bootstrap as a module of the runtime that is packaged with it. */
module io.apiserverupdater.bootstrap {
  // Java resolves a module by default only if it exports a package.
  exports io.apiserverupdater.bootstrap;
}
