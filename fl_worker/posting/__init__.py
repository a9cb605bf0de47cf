"""From a Flower app's folder to a posted job: choices, a bundle, a spec, what it costs, a push."""
