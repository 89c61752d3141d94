/** Models and providers, with the configuration that they come from. */
import { ConfigurationPanel } from "@/capabilities/configuration/parts/configuration_panel";
import { ModelsPage } from "@/capabilities/models/page";

export function ModelsWithConfiguration() {
  return (
    <ModelsPage>
      <ConfigurationPanel />
    </ModelsPage>
  );
}
