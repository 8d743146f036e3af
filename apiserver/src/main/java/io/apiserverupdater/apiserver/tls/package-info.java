/** Whom to trust and who we are, read from PEM files. */
@NullMarked
package io.apiserverupdater.apiserver.tls;

import org.jspecify.annotations.NullMarked;
