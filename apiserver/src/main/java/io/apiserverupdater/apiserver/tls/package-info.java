/** TLS trust and client certificates from PEM files, and the wording of certificate faults. */
@NullMarked
package io.apiserverupdater.apiserver.tls;

import org.jspecify.annotations.NullMarked;
