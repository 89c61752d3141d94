/** Says on every page that the configuration file has faults, and that the one before it is still in force. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { moment } from "@/kit/format";
import { configurationQuery } from "../queries";
import styles from "../page.module.css";

export function ProblemBanner() {
  const configuration = useQuery(configurationQuery);
  const problem = configuration.data?.problem;
  if (!configuration.data || !problem) return null;
  return (
    <div role="status" className={styles["banner"]}>
      <strong>The configuration file can’t be used.</strong> What was loaded {moment(configuration.data.loaded_at)} stays in force. <Link to="/models">Show the {problem.faults.length === 1 ? "fault" : `${problem.faults.length} faults`}</Link>
    </div>
  );
}
