/** What the process tells about itself over HTTP. */
@NullMarked
package io.apiserverupdater.updater.server;

import org.jspecify.annotations.NullMarked;
