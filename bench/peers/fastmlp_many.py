"""fastmlp for many nets: ``fit_many``."""

from bench.peers.fastmlp_fit import start
from bench.problem import Problem, fastmlp_net
from fastmlp import fit_many


class FastmlpMany:
    def __init__(self, backend: str) -> None:
        self.backend = backend
        self.name = f"fastmlp ({backend})"

    def load(self, problems: list[Problem]) -> None:
        self.problem = problems[0]
        self.models = []
        for problem in problems:
            model = fastmlp_net(problem.workload, problem.seed, self.backend)
            start(model, problem.weights)
            self.models.append(model)

    def epoch(self, number: int) -> list[float]:
        assert number == self.models[0].epochs_trained
        problem = self.problem
        histories = fit_many(
            self.models, problem.x, problem.y, problem.workload.batch_size, verbose=0
        )
        return [history.history["loss"][0] for history in histories]
