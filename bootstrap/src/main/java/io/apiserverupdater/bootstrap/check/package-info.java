/**
 * What {@code check} does: facts are gathered from the node, then rules that know nothing of files,
 * programs or sockets turn them into findings.
 */
@NullMarked
package io.apiserverupdater.bootstrap.check;

import org.jspecify.annotations.NullMarked;
