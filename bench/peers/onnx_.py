"""ONNX Runtime: inference."""

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from bench.peers import Predictor, Problem, Trainer


def trainers(problem: Problem, threads: int) -> dict[str, Trainer]:
    return {}


def predictors(weights: list[tuple[np.ndarray, np.ndarray]], threads: int) -> dict[str, Predictor]:
    nodes, initializers, name = [], [], "x"
    for n, (W, b) in enumerate(weights):
        initializers += [numpy_helper.from_array(W, f"W{n}"), numpy_helper.from_array(b, f"b{n}")]
        nodes.append(helper.make_node("Gemm", [name, f"W{n}", f"b{n}"], [f"z{n}"]))
        name = f"z{n}"
        if n < len(weights) - 1:
            nodes.append(helper.make_node("Relu", [name], [f"h{n}"]))
            name = f"h{n}"
    kind = TensorProto.FLOAT if weights[0][0].dtype == np.float32 else TensorProto.DOUBLE
    ends = [
        helper.make_tensor_value_info(end, kind, [None, size])
        for end, size in (("x", weights[0][0].shape[0]), (name, weights[-1][0].shape[1]))
    ]
    graph = helper.make_graph(nodes, "network", ends[:1], ends[1:], initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return {"ONNX Runtime": lambda x: session.run(None, {"x": x})[0]}
