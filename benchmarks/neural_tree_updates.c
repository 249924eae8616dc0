/* The updates of one epoch of a neural tree, one example at a time, by RMSprop: what coursepkg.neural_tree.train does
   with batch_size=1, node by node instead of level by level. tests/test_benchmark_neural_tree.py compares the two.

   A tree of a hundred nodes takes NumPy some forty calls per update, and the published protocol has up to half a
   million updates. Nodes come in level order, so a loop from the last to the first is a forward pass, and a loop from
   the first to the last is a backward pass: every parent stands before its children. */

#include <math.h>
#include <string.h>

enum { BLOCK = 32 }; /* examples of the test part at a time: their values stay in the nearest cache */

typedef struct {
    long n_functions, n_outputs, n_leaves;
    const long *parent;                   /* of each function node that is no output */
    const long *leaf_parent, *leaf_input; /* of each leaf */
} Tree;

typedef struct {
    long n, room;          /* examples, and columns: of the test part whole blocks, the last columns being empty */
    const double *inputs;  /* (n_inputs, room): an example is a column */
    const double *targets; /* (n_outputs, room) */
    const long *classes;   /* (n,); not read if there is one output */
    const float *single_inputs, *single_targets; /* the first two once more; of the test part only */
} Part;

static inline double sigmoid(double z) {
    return 1.0 / (1.0 + exp(z < -700.0 ? 700.0 : -z)); /* beyond 700 exp could be infinite */
}

/* The outputs for a block of examples from `first` on, in the first n_outputs rows of `values` (n_functions, BLOCK). */
static void outputs(const Tree *tree, const double *theta, const Part *part, long first, double *values) {
    const double *weights = theta + tree->n_functions;
    const double *leaf_weights = weights + tree->n_functions - tree->n_outputs;
    for (long node = 0; node < tree->n_functions; node++)
        for (long i = 0; i < BLOCK; i++) values[node * BLOCK + i] = theta[node];
    for (long leaf = 0; leaf < tree->n_leaves; leaf++) {
        double *restrict above = values + tree->leaf_parent[leaf] * BLOCK;
        const double *restrict x = part->inputs + tree->leaf_input[leaf] * part->room + first;
        for (long i = 0; i < BLOCK; i++) above[i] += leaf_weights[leaf] * x[i];
    }
    for (long node = tree->n_functions - 1; node >= 0; node--) {
        double *restrict own = values + node * BLOCK;
        for (long i = 0; i < BLOCK; i++) own[i] = sigmoid(own[i]);
        if (node < tree->n_outputs) continue;
        const long edge = node - tree->n_outputs;
        double *restrict above = values + tree->parent[edge] * BLOCK;
        for (long i = 0; i < BLOCK; i++) above[i] += weights[edge] * own[i];
    }
}

/* Wrong answers of these examples, or their sum of squares. Of equal outputs the first one names the class. */
static double cost(const Tree *tree, const Part *part, long first, long width, const double *values) {
    double found = 0.0;
    for (long i = 0; i < width; i++) {
        if (tree->n_outputs == 1) {
            const double difference = values[i] - part->targets[first + i];
            found += difference * difference;
        } else {
            long largest = 0;
            for (long k = 1; k < tree->n_outputs; k++)
                if (values[k * BLOCK + i] > values[largest * BLOCK + i]) largest = k;
            found += largest != part->classes[first + i];
        }
    }
    return found;
}

/* The outputs once more in single precision, four times as fast. */
static void rough_outputs(const Tree *tree, const float *theta, const Part *part, long first, float *values) {
    const float *weights = theta + tree->n_functions;
    const float *leaf_weights = weights + tree->n_functions - tree->n_outputs;
    for (long node = 0; node < tree->n_functions; node++)
        for (long i = 0; i < BLOCK; i++) values[node * BLOCK + i] = theta[node];
    for (long leaf = 0; leaf < tree->n_leaves; leaf++) {
        float *restrict above = values + tree->leaf_parent[leaf] * BLOCK;
        const float *restrict x = part->single_inputs + tree->leaf_input[leaf] * part->room + first;
        for (long i = 0; i < BLOCK; i++) above[i] += leaf_weights[leaf] * x[i];
    }
    for (long node = tree->n_functions - 1; node >= 0; node--) {
        float *restrict own = values + node * BLOCK;
        for (long i = 0; i < BLOCK; i++) own[i] = 1.0f / (1.0f + expf(own[i] < -80.0f ? 80.0f : -own[i]));
        if (node < tree->n_outputs) continue;
        const long edge = node - tree->n_outputs;
        float *restrict above = values + tree->parent[edge] * BLOCK;
        for (long i = 0; i < BLOCK; i++) above[i] += weights[edge] * own[i];
    }
}

/* Whether single precision shows, by a margin of a thousandth, that the cost cannot be below `lowest`. The margin is
   far above its rounding. Most looks end here. */
static int hopeless(const Tree *tree, const double *theta, const Part *part, double lowest, float *room) {
    const long parameters = 2 * tree->n_functions - tree->n_outputs + tree->n_leaves;
    float *values = room + parameters;
    double found = 0.0;
    for (long i = 0; i < parameters; i++) room[i] = (float)theta[i];
    for (long first = 0; first < part->n; first += BLOCK) {
        const long width = part->n - first < BLOCK ? part->n - first : BLOCK;
        rough_outputs(tree, room, part, first, values);
        for (long i = 0; i < width; i++) {
            if (tree->n_outputs == 1) {
                const float difference = values[i] - part->single_targets[first + i];
                found += 0.999 * difference * difference;
            } else {
                const float right = values[part->classes[first + i] * BLOCK + i] + 1e-3f;
                long beaten = 0;
                for (long k = 0; k < tree->n_outputs; k++) beaten |= values[k * BLOCK + i] > right;
                found += beaten;
            }
        }
        if (found >= lowest) return 1;
    }
    return 0;
}

/* The cost of the whole part, or, as soon as it cannot be below `lowest` any more, something that is not below it. */
static double look(const Tree *tree, const double *theta, const Part *part, double lowest, double *values) {
    double found = 0.0;
    for (long first = 0; first < part->n && found < lowest; first += BLOCK) {
        const long width = part->n - first < BLOCK ? part->n - first : BLOCK;
        outputs(tree, theta, part, first, values);
        found += cost(tree, part, first, width, values);
    }
    return found;
}

/* One pass over the training part in a given order. After each update the test part is looked at, if it has examples;
   `lowest` and `best` keep the first parameters of the lowest cost. Room to work in: `own` (2 * n_functions),
   `gradient` (n_parameters), `values` (n_functions, BLOCK), `room` (n_parameters + n_functions * BLOCK). */
void epoch(const Tree *tree, const Part *fit, const long *order, double *restrict theta, double *restrict mean_square,
           double lr, double alpha, double eps, const Part *test, double *lowest, double *best, double *restrict own,
           double *restrict gradient, double *values, float *room) {
    const long functions = tree->n_functions, top = tree->n_outputs, leaves = tree->n_leaves;
    const long parameters = 2 * functions - top + leaves;
    const double *weights = theta + functions, *leaf_weights = weights + functions - top;
    double *restrict delta = own + functions;
    for (long turn = 0; turn < fit->n; turn++) {
        const double *x = fit->inputs + order[turn], *target = fit->targets + order[turn];
        for (long node = 0; node < functions; node++) own[node] = theta[node];
        for (long leaf = 0; leaf < leaves; leaf++)
            own[tree->leaf_parent[leaf]] += leaf_weights[leaf] * x[tree->leaf_input[leaf] * fit->room];
        for (long node = functions - 1; node >= 0; node--) {
            own[node] = sigmoid(own[node]);
            if (node >= top) own[tree->parent[node - top]] += weights[node - top] * own[node];
        }
        for (long node = 0; node < functions; node++) {
            const double above = node < top ? own[node] - target[node * fit->room]
                                            : weights[node - top] * delta[tree->parent[node - top]];
            delta[node] = above * own[node] * (1.0 - own[node]);
            gradient[node] = delta[node];
            if (node >= top) gradient[functions + node - top] = delta[tree->parent[node - top]] * own[node];
        }
        for (long leaf = 0; leaf < leaves; leaf++)
            gradient[2 * functions - top + leaf] =
                delta[tree->leaf_parent[leaf]] * x[tree->leaf_input[leaf] * fit->room];
        for (long i = 0; i < parameters; i++) {
            mean_square[i] = alpha * mean_square[i] + (1.0 - alpha) * gradient[i] * gradient[i];
            theta[i] -= lr * gradient[i] / (sqrt(mean_square[i]) + eps);
        }
        if (test->n && *lowest > 0.0 && !hopeless(tree, theta, test, *lowest, room)) {
            const double found = look(tree, theta, test, *lowest, values);
            if (found < *lowest) {
                *lowest = found;
                memcpy(best, theta, parameters * sizeof(double));
            }
        }
    }
}
