/** YAML within bounds. */
@NullMarked
package io.apiserverupdater.apiserver.yaml;

import org.jspecify.annotations.NullMarked;
