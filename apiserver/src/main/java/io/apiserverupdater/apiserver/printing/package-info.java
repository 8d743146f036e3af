/** Foreign text on its way to a log or a terminal. */
@NullMarked
package io.apiserverupdater.apiserver.printing;

import org.jspecify.annotations.NullMarked;
