"""Records one run in the MLflow of MLFLOW_TRACKING_URI and prints its id."""

from mlflow.tracking import MlflowClient

client = MlflowClient()
run = client.create_run(client.create_experiment("titration"))
client.log_metric(run.info.run_id, "yield", 0.93)
client.set_terminated(run.info.run_id)
print(run.info.run_id)
