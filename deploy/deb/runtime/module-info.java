/** The bootstrap as a module of the runtime that is packaged with it. */
module io.apiserverupdater.bootstrap {
  // Only what exports something is there without being named at the start.
  exports io.apiserverupdater.bootstrap;
}
