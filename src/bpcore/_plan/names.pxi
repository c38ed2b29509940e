# The names and numbers that activations, losses, layers and update rules have in Python.

# What Python calls each, and its number.
ACTIVATIONS = {activation_name(n).decode(): n for n in range(COUNT_OF_ACTIVATIONS)}
LOSSES = {loss_name(n).decode(): n for n in range(COUNT_OF_LOSSES)}
SETTINGS = {setting_name(n).decode(): n for n in range(COUNT_OF_SETTINGS)}
# What every rule takes beside what is its own.
RULE_SETTINGS = " weight_decay[0,inf)=0 l1[0,inf)=0 clip_value[0,inf)=0"
# The settings that each rule reads, in the order in which its kernel takes them, and the interval of each.
RULES = {
    rule_name(n).decode(): {
        spec.name: spec.interval for spec, *_ in parse(rule_signature(n).decode() + RULE_SETTINGS)
        if spec.name in SETTINGS
    }
    for n in range(COUNT_OF_RULES)
}
TRANSFORMS = {transform_name(n).decode(): n for n in range(COUNT_OF_TRANSFORMS)}
# The numbers that each activation takes, in their order.
ACTIVATION_NUMBERS = {
    activation_name(n).decode(): tuple([spec.name for spec, *_ in parse(activation_numbers(n).decode())])
    for n in range(COUNT_OF_ACTIVATIONS)
}
# The number that each loss and each transform takes; "" where it takes none.
LOSS_OPTIONS = {
    loss_name(n).decode(): "".join([spec.name for spec, *_ in parse(loss_option(n).decode())])
    for n in range(COUNT_OF_LOSSES)
}
TRANSFORM_OPTIONS = {transform_name(n).decode(): transform_option(n).decode() for n in range(COUNT_OF_TRANSFORMS)}
