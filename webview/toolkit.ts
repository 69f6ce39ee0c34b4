// The one place that knows the component library of our pages. It is frozen upstream (1.4.0 is its last version), so
// pages use it for buttons and fields only, by the tags below; another library would be put in here.
import {
  provideVSCodeDesignSystem,
  vsCodeButton,
  vsCodeCheckbox,
  vsCodeDropdown,
  vsCodeOption,
  vsCodeTextField,
} from '@vscode/webview-ui-toolkit';

/** Tags of the components, and the elements that they make. */
export interface ToolkitElements {
  'vscode-button': HTMLElement;
  'vscode-checkbox': HTMLElement & { checked: boolean };
  'vscode-dropdown': HTMLElement & { value: string };
  'vscode-option': HTMLElement;
  'vscode-text-field': HTMLElement & { value: string };
}

/** Defines the components; a page calls it once, before it uses them. */
export function defineToolkit(): void {
  provideVSCodeDesignSystem().register(
    vsCodeButton(),
    vsCodeCheckbox(),
    vsCodeDropdown(),
    vsCodeOption(),
    vsCodeTextField(),
  );
}
