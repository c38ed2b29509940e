# Moving averages of a plan's parameters, in the parameters of another plan, while a loop trains the first.

cdef class Averaging(InputGradients):
    """Moves another plan's parameters along, after each step of a loop."""

    def averages(self, NetworkAddresses other not None):
        """Whether a loop can move the parameters of `other` along, which is so where `other.blend(self, …)` would."""
        return other.can_blend(self)

    cdef int begin_average(self, NetworkAddresses other, double share) except -1:
        """Point to the parameters of a plan that are to move along, if there is one."""
        cdef Layer* layer
        cdef const Layer* theirs
        cdef int n
        if other is None:
            return 0
        if not 0 < share <= 1:
            raise ValueError(f"Plan: share is {share}, wanted a number above 0, at most 1")
        if not self.averages(other):
            raise ValueError("Plan: average cannot move along, wanted a plan of layers alike, in memory of their own")
        for n in range(self.net.depth):
            layer, theirs = &self.net.layers[n], &other.net.layers[n]
            layer.weight.average, layer.bias.average = theirs.weight.value, theirs.bias.value
            layer.average_mean, layer.average_var = theirs.running_mean, theirs.running_var
        self.net.average_share = share
        return 0

    cdef inline void end_average(self) noexcept:
        """Forget them."""
        cdef int n
        if self.net.average_share == 0:
            return
        self.net.average_share = 0
        for n in range(self.net.depth):
            self.net.layers[n].weight.average = self.net.layers[n].bias.average = NULL
            self.net.layers[n].average_mean = self.net.layers[n].average_var = NULL
