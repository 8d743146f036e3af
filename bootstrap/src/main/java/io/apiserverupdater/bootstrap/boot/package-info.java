/** The boot: values without threads, sockets or clocks decide, the sequences carry it out. */
@NullMarked
package io.apiserverupdater.bootstrap.boot;

import org.jspecify.annotations.NullMarked;
